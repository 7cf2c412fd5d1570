"""Every recorded companyfacts response through the models: real filings that came out wrong, and what must stay right.

Billions of US dollars, checked by hand against the recorded filings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.filings import Models

pytestmark = pytest.mark.recorded

# By calendar quarter, from the first one on.
CAPEX = {
    ("MSFT", 2024, 1): [10.952, 13.873, 14.923, 15.804],
    ("GOOGL", 2025, 1): [17.197, 22.446, 23.953, 27.851],
    ("META", 2024, 1): [6.400, 8.173, 8.258, 14.425],
    ("ORCL", 2025, 3): [8.502, 12.033, 18.635, 16.493],
    ("AMZN", 2022, 1): [14.951, 15.724, 16.378, 16.592],
    ("AMZN", 2023, 1): [14.207, 11.455, 12.479, 14.588],
    ("AMZN", 2024, 1): [14.925, 17.620, 22.620, 27.834],
    ("AMZN", 2025, 1): [25.019, 32.183, 35.095, 39.522, 44.203],
}
# Last fiscal quarter of Oracle: the year, which stands on a three-month context in three 10-Ks, less nine months. Of
# 2018 as restated (39.383 - 28.369); the year as restated less the nine months as first filed would be 10.804.
ORACLE_LAST_QUARTERS = {2018: 11.014, 2019: 11.137, 2020: 10.439, 2021: 11.227, 2022: 11.840}


@pytest.fixture(scope="module")
def recorded(recordings: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folders = [folder / "sec" / of for folder in reversed(recordings) for of in ("companyfacts_full", "companyfacts")]
    bodies = [file.read_bytes() for folder in folders for file in sorted(folder.glob("*.json"))]
    with Models(tmp_path_factory.mktemp("recorded_filings")).of(*bodies) as connection:
        yield connection


def test_the_quarters_of_capital_expenditure_stay_right(recorded: duckdb.DuckDBPyConnection) -> None:
    for (company, year, quarter), expected in CAPEX.items():
        rows = recorded.execute(
            "select capex_usd / 1e9 from past.main.driver_ai_capex where company_id = ? and calendar_quarter >= ? "
            "order by calendar_quarter limit ?",
            [company, date(year, 3 * quarter - 2, 1), len(expected)],
        ).fetchall()
        assert [value for (value,) in rows] == pytest.approx(expected, abs=1e-9), company


def test_oracles_revenue_is_that_of_quarters_and_years(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute(
        "select fiscal_year, value_usd / 1e9 from past.intermediate.int_filing_quarters__discrete "
        "where company_id = 'ORCL' and concept = 'revenue' and fiscal_quarter = 4 and fiscal_year between 2018 and 2022"
    ).fetchall()
    assert dict(rows) == pytest.approx(ORACLE_LAST_QUARTERS, abs=1e-9)
    years = recorded.execute(
        "select value_ttm_usd / 1e9 from past.intermediate.int_filing_quarters__trailing "
        "where company_id = 'ORCL' and concept = 'revenue' and period_end between '2018-05-31' and '2023-02-28'"
    ).fetchall()
    assert len(years) == 20
    assert all(39 < value < 48 for (value,) in years)


def test_alphabets_last_quarter_of_2020_is_found_over_two_tags_that_agree(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute(
        "select value_usd / 1e9, method from past.intermediate.int_filing_quarters__discrete "
        "where company_id = 'GOOGL' and concept = 'revenue' and calendar_quarter = date '2020-10-01'"
    ).fetchall()
    assert rows == [(pytest.approx(56.898, abs=1e-9), "difference")]
    agreed = recorded.execute(
        "select periods_compared, periods_that_disagree from past.intermediate.int_filing_tags__definitions "
        "where company_id = 'GOOGL' and concept = 'revenue' and tag_rank = 2"
    ).fetchall()
    assert agreed[0][0] >= 7
    assert agreed[0][1] == 0


def test_the_hyperscalers_year_to_june_2026_names_its_companies(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute(
        "select capex_ttm_usd / 1e9, capex_ttm_companies, capex_ttm_companies_carried, capex_ttm_members, "
        "capex_ttm_carried from past.main.driver_ai_capex_aggregate "
        "where calendar_quarter in ('2026-01-01', '2026-04-01') order by calendar_quarter"
    ).fetchall()
    members = "AMZN, GOOGL, META, MSFT, ORCL"
    # MSFT 115.948, GOOGL 132.402, AMZN 173.028, ORCL 55.663; META's 75.747 are those to March.
    assert rows == [
        (pytest.approx(482.149), 5, 0, members, None),
        (pytest.approx(477.041 + 75.747), 5, 1, members, "META to 2026-03-31"),
    ]
    acceleration = recorded.execute(
        "select like_for_like_acceleration_pp, acceleration_companies from past.main.driver_ai_capex_aggregate "
        "where calendar_quarter = '2026-04-01'"
    ).fetchall()
    # MSFT, GOOGL and AMZN have both growth rates: 134.934 over 71.708, after 71.708 over 44.679.
    assert acceleration == [(pytest.approx(100 * (134.934 / 71.708 - 71.708 / 44.679)), 3)]


def test_what_the_recorded_filers_give_is_counted(recorded: duckdb.DuckDBPyConnection) -> None:
    """681 quarters; before these rules 675, of which five were years (docs/methods/filings.md explains each)."""
    methods = recorded.execute(
        "select method, count(*) from past.intermediate.int_filing_quarters__discrete group by method order by method"
    ).fetchall()
    assert sum(n for _, n in methods) == 681
    assert dict(methods)["remainder"] == 1
    (trailing,) = recorded.execute("select count(*) from past.intermediate.int_filing_quarters__trailing").fetchall()
    assert trailing == (638,)
    (withheld,) = recorded.execute(
        "select count(*) from past.intermediate.int_filing_facts__judged where refusal is not null"
    ).fetchall()
    assert withheld == (0,)


def test_the_scale_rule_finds_errors_and_spares_what_is_right(recorded: duckdb.DuckDBPyConnection) -> None:
    """Of every recorded fact that goes one way: nothing is withheld; times or over a thousand or a million, it is."""
    facts = recorded.execute(
        """
        select abs(value_usd) / duration_days, usd_per_day_before, usd_per_day_after
        from past.intermediate.int_filing_facts__judged
        where value_usd <> 0 and concept in ('capex', 'revenue', 'depreciation', 'finance_lease_principal')
            and coalesce(usd_per_day_before, usd_per_day_after) is not null
        """
    ).fetchall()
    assert len(facts) > 1000
    for factor in (1e3, 1e6, 1e-3, 1e-6):
        missed = [
            own
            for own, *sides in facts
            if any(abs(math.log(own * factor / side)) <= math.log(50) for side in sides if side is not None)
        ]
        assert missed == []
