"""From companyfacts through the SQL to discrete quarters: golden figures, restatements, gaps, sums.

Figures in billion US dollars by calendar quarter, differenced by hand from the responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import warehouse
from tests import filings

Q1, Q2, Q3, Q4 = 1, 4, 7, 10  # first month of a calendar quarter
GOLDEN_CAPEX_USD_BN = {
    ("MSFT", 2024): {Q1: 10.952, Q2: 13.873, Q3: 14.923, Q4: 15.804},
    ("GOOGL", 2025): {Q1: 17.197, Q2: 22.446, Q3: 23.953, Q4: 27.851},
    ("META", 2024): {Q1: 6.400, Q2: 8.173, Q3: 8.258, Q4: 14.425},
    ("AMZN", 2023): {Q1: 14.207, Q2: 11.455, Q3: 12.479, Q4: 14.588},
    ("AMZN", 2024): {Q1: 14.925, Q2: 17.620, Q3: 22.620, Q4: 27.834},
    ("AMZN", 2025): {Q1: 25.019, Q2: 32.183, Q3: 35.095, Q4: 39.522},
    # Fiscal 2026 ends in May 2026; its quarters lie a month before the calendar's.
    ("ORCL", 2025): {Q2: 9.080, Q3: 8.502, Q4: 12.033},
    ("ORCL", 2026): {Q1: 18.635, Q2: 16.493},
}

As = Callable[..., duckdb.DuckDBPyConnection]


def assert_golden_quarters(connection: duckdb.DuckDBPyConnection) -> None:
    """Every golden figure stands in `driver_ai_capex`, and no figure stands where the filings give none."""
    for (company, year), expected in GOLDEN_CAPEX_USD_BN.items():
        rows = connection.execute(
            """
            select extract(month from calendar_quarter), capex_usd / 1e9 from main.driver_ai_capex
            where company_id = ? and extract(year from calendar_quarter) = ? and capex_usd is not null
            """,
            [company, year],
        ).fetchall()
        assert dict(rows) == pytest.approx(expected, abs=1e-9), (company, year)


@pytest.fixture(scope="module")
def built(every_payload: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[As]:
    """`built(as_of)` gives a connection to the models over the filings, as known on that date."""
    places = [folder / "sec" / of for folder in reversed(every_payload) for of in ("companyfacts_full", "companyfacts")]
    bodies = [file.read_bytes() for place in places for file in sorted(place.glob("*.json"))]
    opened: dict[date, duckdb.DuckDBPyConnection] = {}
    with ExitStack() as stack:

        def build(as_of: date) -> duckdb.DuckDBPyConnection:
            if as_of not in opened:
                models = filings.Models(tmp_path_factory.mktemp("filings"))
                connection = stack.enter_context(models.of(*bodies, as_of=as_of))
                connection.execute("use past")
                stack.callback(connection.execute, "use build")
                opened[as_of] = connection
            return opened[as_of]

        yield build


@pytest.fixture(scope="module")
def today(built: As) -> duckdb.DuckDBPyConnection:
    return built(date(2026, 11, 22))


def _row(connection: duckdb.DuckDBPyConnection, company: str, quarter: date) -> dict[str, Any]:
    rows = warehouse.query(
        connection,
        "select * from main.driver_ai_capex where company_id = ? and calendar_quarter = ?",
        [company, quarter],
    )
    assert rows.height == 1
    return rows.row(0, named=True)


def test_the_golden_quarters_come_out(today: duckdb.DuckDBPyConnection) -> None:
    assert_golden_quarters(today)


def test_amazons_trailing_twelve_months_to_june_2026_are_the_sum_it_filed(today: duckdb.DuckDBPyConnection) -> None:
    row = _row(today, "AMZN", date(2026, 4, 1))
    assert row["capex_ttm_usd"] == 173_028_000_000
    assert (row["capex_usd"], row["capex_yoy_pct"]) == (54_208_000_000, pytest.approx(100 * (54.208 / 32.183 - 1)))
    assert row["capex_ttm_method"] == "four quarters"
    # The first quarter of 2025 is half a year less its second one, so the year is the sum of four quarters.
    year = _row(today, "AMZN", date(2025, 10, 1))
    assert (year["capex_ttm_usd"], year["capex_ttm_method"]) == (131_819_000_000, "four quarters")
    assert _row(today, "AMZN", date(2025, 7, 1))["capex_ttm_usd"] is None


def test_metas_restated_quarter_is_never_mixed(built: As, today: duckdb.DuckDBPyConnection) -> None:
    quarter = date(2023, 10, 1)
    restated, original = _row(today, "META", quarter), _row(built(date(2024, 11, 15)), "META", quarter)
    assert (restated["capex_usd"], restated["vintage"]) == (7_592_000_000, 1)
    assert restated["accession_numbers"] == "0001326801-25-000017; 0001326801-24-000081"
    # On that day the restated nine months were known already, the restated year was not.
    assert (original["capex_usd"], original["vintage"]) == (7_665_000_000, 0)
    assert original["accession_numbers"] == "0001326801-24-000012; 0001326801-23-000103"
    assert original["capex_known_at"].date() == restated["first_known_at"].date() == date(2024, 2, 2)
    assert restated["capex_known_at"].date() == date(2025, 1, 30)


def test_nothing_filed_later_is_used(built: As) -> None:
    connection = built(date(2024, 11, 15))
    capex_until, known_until, last_end = connection.execute(
        """
        select max(capex_known_at), max(known_at), max(fiscal_quarter_end) filter (capex_usd is not null)
        from main.driver_ai_capex
        """
    ).fetchall()[0]
    assert capex_until.date() == date(2024, 10, 31)
    assert known_until.date() == date(2024, 11, 1)  # Amazon's other figures; its capex tag is not in the recording
    assert last_end == date(2024, 9, 30)
    awaited = connection.execute(
        "select company_id, fiscal_quarter_end from main.driver_ai_capex where is_pending order by fiscal_quarter_end"
    ).fetchall()
    # Amazon's year 2022 is the last of it in the recorded response before 2025; Oracle's first fact is of 2025.
    assert {company for company, _ in awaited} == {"AMZN"}
    assert [end for _, end in awaited][:: len(awaited) - 1] == [date(2023, 3, 31), date(2024, 9, 30)]


def test_a_company_that_has_not_filed_is_awaited_and_then_overdue(today: duckdb.DuckDBPyConnection) -> None:
    # META's 10-Q for June 2026 is missing from the recorded response (145 days), Q3 ended 53 days ago.
    june, september = _row(today, "META", date(2026, 4, 1)), _row(today, "META", date(2026, 7, 1))
    assert june["is_pending"]
    assert june["gap_reason"].startswith("overdue")
    assert september["is_pending"]
    assert september["gap_reason"].startswith("pending")


def test_a_quarter_without_figure_is_a_row_with_its_reason(today: duckdb.DuckDBPyConnection) -> None:
    row = _row(today, "AMZN", date(2022, 10, 1))
    assert row["capex_usd"] is None
    assert row["gap_reason"] == "no three-month fact, and no cumulative fact to the end of the quarter before"
    assert _row(today, "ORCL", date(2025, 1, 1))["gap_reason"] == row["gap_reason"]


def test_oracles_quarters_are_placed_by_their_middle_and_marked(today: duckdb.DuckDBPyConnection) -> None:
    row = _row(today, "ORCL", date(2026, 4, 1))
    assert (row["fiscal_quarter_start"], row["fiscal_quarter_end"]) == (date(2026, 3, 1), date(2026, 5, 31))
    assert (row["fiscal_year"], row["fiscal_quarter"], row["month_offset"]) == (2026, 4, -1)
    assert row["capex_ttm_usd"] == 55_663_000_000


def test_alphabets_revenue_is_one_series_over_two_tags(today: duckdb.DuckDBPyConnection) -> None:
    rows = today.execute(
        """
        select calendar_quarter, value_usd / 1e9, tag = 'Revenues' from intermediate.int_filing_quarters__discrete
        where company_id = 'GOOGL' and concept = 'revenue'
        and calendar_quarter between date '2024-01-01' and date '2025-12-31' order by 1
        """
    ).fetchall()
    assert [value for _, value, _ in rows] == pytest.approx(
        [80.539, 84.742, 88.268, 96.469, 90.234, 96.428, 102.346, 113.829], abs=1e-9
    )
    assert [switched for *_, switched in rows] == [False, True, True, True, True, True, True, True]


def test_reported_years_are_the_sum_of_their_quarters_of_the_same_vintage(today: duckdb.DuckDBPyConnection) -> None:
    years = today.execute(
        """
        with quarters as (
            select
                company_id, concept, definition_rank, basis, report_year, vintage, fiscal_year, fiscal_quarter,
                value_usd
            from intermediate.int_filing_quarters__candidates where refusal is null and not is_recast
            qualify row_number() over (
                partition by company_id, concept, definition_rank, basis, report_year, fiscal_year, fiscal_quarter
                order by array_position(['direct', 'difference', 'remainder'], method)
            ) = 1
        ),
        sums as (
            select company_id, concept, definition_rank, basis, report_year, fiscal_year, any_value(vintage) as vintage,
                sum(value_usd) as sum_usd
            from quarters group by all having count(*) = 4
        )
        select s.company_id, s.concept, s.fiscal_year, s.vintage, s.sum_usd, y.value_usd
        from sums as s
        inner join intermediate.int_filing_calendar__quarters as q
            on s.company_id = q.company_id and s.fiscal_year = q.fiscal_year and q.fiscal_quarter = 4
        inner join intermediate.int_filing_periods__selected as y
            on s.company_id = y.company_id and s.concept = y.concept and s.definition_rank = y.definition_rank
            and s.basis = y.basis and s.report_year = y.report_year
            and not y.is_recast and y.period_start = q.fiscal_year_start and y.period_end = q.quarter_end
        """
    ).fetchall()
    # Filings round each column to the million, so three direct quarters and a difference may miss by one or two.
    allowed_usd = {"capex": 0.5, "operating_cash_flow": 0.5}
    assert [year for year in years if abs(year[4] - year[5]) > allowed_usd.get(year[1], 2e6)] == []
    capex_years = {(company, year, vintage) for company, concept, year, vintage, *_ in years if concept == "capex"}
    assert capex_years >= {
        ("MSFT", 2024, 0),
        ("MSFT", 2025, 1),
        ("MSFT", 2026, 0),
        ("GOOGL", 2024, 1),
        ("GOOGL", 2025, 0),
        ("META", 2023, 0),
        ("META", 2023, 1),
        ("META", 2024, 1),
        ("META", 2025, 0),
        ("ORCL", 2026, 0),
    }


def test_the_chosen_quarters_add_up_to_the_year_as_filed(today: duckdb.DuckDBPyConnection) -> None:
    sums = today.execute(
        """
        select company_id, fiscal_year, sum(capex_usd) / 1e9 from main.driver_ai_capex
        group by all having count(capex_usd) = 4
        """
    ).fetchall()
    assert {(company, year): round(total, 3) for company, year, total in sums} == {
        ("MSFT", 2024): 44.477,
        ("MSFT", 2025): 64.551,
        ("MSFT", 2026): 115.948,
        ("GOOGL", 2023): 32.251,
        ("GOOGL", 2024): 52.535,
        ("GOOGL", 2025): 91.447,
        ("META", 2023): 27.045,
        ("META", 2024): 37.256,
        ("META", 2025): 69.691,
        ("AMZN", 2025): 131.819,
        ("ORCL", 2026): 55.663,
    }


def test_a_missing_company_never_looks_like_a_fall(today: duckdb.DuckDBPyConnection) -> None:
    row = warehouse.query(
        today, "select * from main.driver_ai_capex_aggregate where calendar_quarter = date '2026-04-01'"
    ).row(0, named=True)
    assert (row["companies_reporting"], row["companies_expected"], row["coverage_ratio"]) == (4, 5, 0.8)
    # MSFT 35.802 + GOOGL 44.924 + AMZN 54.208 + ORCL 16.493, against 17.079 + 22.446 + 32.183 + 9.080.
    assert row["capex_usd"] == 151_427_000_000
    assert (row["like_for_like_companies"], row["like_for_like_yoy_pct"]) == (
        4,
        pytest.approx(100 * (151.427 / 80.788 - 1)),
    )
    # META spent 16.538 a year before: counted as a fall, growth would be 55.6 per cent.
    assert row["like_for_like_yoy_pct"] == pytest.approx(87.437, abs=1e-3)
    # Four companies spent 477.041 in the twelve months to June; META's 75.747 to March are carried and named.
    assert row["capex_ttm_usd"] == 477_041_000_000 + 75_747_000_000
    assert (row["capex_ttm_companies"], row["capex_ttm_carried"]) == (5, "META to 2026-03-31")
    # MSFT and GOOGL alone have both growth rates: two of five are not the group.
    assert (row["acceleration_companies"], row["like_for_like_acceleration_pp"]) == (2, None)
