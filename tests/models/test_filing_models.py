"""Filings that went wrong, in small: what is published, what is withheld, and the reason that is given.

Figures are invented, in billions of US dollars, and hand-checked; each test is one kind of fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.audit import checks
from pipelines.settings import Settings
from tests.filings import Fact, Models, companyfacts

PPE, ASSETS = "PaymentsToAcquirePropertyPlantAndEquipment", "PaymentsToAcquireProductiveAssets"
BN = 1_000_000_000
ENDS = {1: "03-31", 2: "06-30", 3: "09-30", 4: "12-31"}
STARTS = {1: "01-01", 2: "04-01", 3: "07-01", 4: "10-01"}
FILED = {1: "04-25", 2: "07-25", 3: "10-25", 4: "02-01"}

Quarters = dict[tuple[int, int], Any]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("filings"))


def cumulative(year: int, quarter: int, billions: float, filed_year: int | None = None, **other: Any) -> Fact:
    """From January to the quarter's end of a calendar year, as its report states it."""
    return _fact(f"{year}-01-01", year, quarter, billions, filed_year, other)


def direct(year: int, quarter: int, billions: float, filed_year: int | None = None, **other: Any) -> Fact:
    """The three months alone."""
    return _fact(f"{year}-{STARTS[quarter]}", year, quarter, billions, filed_year, other)


def _fact(start: str, year: int, quarter: int, billions: float, filed_year: int | None, other: dict[str, Any]) -> Fact:
    report_year = filed_year or year
    given = {
        "tag": PPE,
        "accession": f"0000000042-{report_year % 100:02d}-{quarter:06d}",
        "filed": f"{report_year + (quarter == 4)}-{FILED[quarter]}",
        "form": "10-K" if quarter == 4 else "10-Q",
    }
    return Fact(start=start, end=f"{year}-{ENDS[quarter]}", value=round(billions * BN), **(given | other))


def year_to_date(year: int, quarters: list[float], **other: Any) -> list[Fact]:
    return [cumulative(year, n, sum(quarters[:n]), **other) for n in range(1, len(quarters) + 1)]


@contextmanager
def run(models: Models, company: str, facts: list[Fact]) -> Iterator[duckdb.DuckDBPyConnection]:
    with models.of(companyfacts(models.cik(company), facts)) as connection:
        yield connection


def quarters(connection: duckdb.DuckDBPyConnection, concept: str = "capex") -> Quarters:
    rows = connection.execute(
        "select fiscal_year, fiscal_quarter, value_usd / 1e9 from past.intermediate.int_filing_quarters__discrete "
        "where concept = ?",
        [concept],
    ).fetchall()
    return {(year, quarter): pytest.approx(value) for year, quarter, value in rows}


def gaps(connection: duckdb.DuckDBPyConnection) -> Quarters:
    rows = connection.execute(
        "select fiscal_year, fiscal_quarter, gap_reason from past.intermediate.int_filing_quarters__gaps "
        "where concept = 'capex'"
    ).fetchall()
    return {(year, quarter): reason for year, quarter, reason in rows}


def years(connection: duckdb.DuckDBPyConnection, concept: str = "capex") -> Quarters:
    rows = connection.execute(
        "select fiscal_year, fiscal_quarter, value_ttm_usd / 1e9 from past.intermediate.int_filing_quarters__trailing "
        "where concept = ?",
        [concept],
    ).fetchall()
    return {(year, quarter): pytest.approx(value) for year, quarter, value in rows}


def withheld(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select cast(period_end as varchar), refusal from past.intermediate.int_filing_facts__judged "
        "where refusal is not null order by all"
    ).fetchall()
    return [(end, reason) for end, reason in rows]


OFF = "more than fifty times off the figures before and after it"
NEGATIVE = "negative, and capex cannot be"
NO_BASIS = "the four quarters are of no single basis and definition"


# Scale and sign


@pytest.mark.parametrize("factor", [1e3, 1e6, 1e-3, 1e-6])
def test_an_amount_at_a_wrong_scale_is_withheld_and_takes_nothing_else_with_it(models: Models, factor: float) -> None:
    facts = year_to_date(2023, [7, 8, 7, 9]) + year_to_date(2024, [11, 12, 9, 13])
    facts[5] = replace(facts[5], value=facts[5].value * factor)
    with run(models, "GOOGL", facts) as connection:
        found = quarters(connection)
        assert {q: found.get(q) for q in [(2024, 1), (2024, 4)]} == {(2024, 1): 11, (2024, 4): 13}
        assert gaps(connection) == dict.fromkeys(
            [(2024, 2), (2024, 3)], f"the cumulative fact to 2024-06-30 is withheld: {OFF}"
        )
        assert withheld(connection) == [("2024-06-30", OFF)]
        assert years(connection)[2024, 4] == 45
        reasons = connection.execute(
            "select gap_reason from past.main.driver_ai_capex where calendar_quarter = date '2024-04-01'"
        ).fetchall()
        assert reasons == [(f"the cumulative fact to 2024-06-30 is withheld: {OFF}",)]
        assert connection.execute("select max(capex_usd) from past.main.driver_ai_capex").fetchall() == [(13 * BN,)]


def test_a_flipped_sign_and_a_tiny_three_month_fact_are_withheld(models: Models) -> None:
    facts = [direct(2024, 1, 13), direct(2024, 2, -14), direct(2024, 3, 0.015), direct(2024, 4, 17)]
    with run(models, "GOOGL", facts) as connection:
        assert quarters(connection) == {(2024, 1): 13, (2024, 4): 17}
        assert gaps(connection) == {
            (2024, 2): f"the three-month fact to 2024-06-30 is withheld: {NEGATIVE}",
            (2024, 3): f"the three-month fact to 2024-09-30 is withheld: {OFF}",
        }
        assert years(connection) == {}


def test_a_real_jump_is_kept_and_what_is_withheld_is_named_by_the_check(models: Models) -> None:
    """Five times as much from one quarter to the next, and back; a scale that changed for good is confirmed."""
    facts = year_to_date(2023, [3, 3, 15, 14]) + year_to_date(2024, [16, 3, 2, 2])
    with run(models, "GOOGL", facts) as connection:
        assert [quarters(connection)[2023, n] for n in (1, 2, 3, 4)] == [3, 3, 15, 14]
        assert [quarters(connection)[2024, n] for n in (1, 2, 3, 4)] == [16, 3, 2, 2]
        assert withheld(connection) == []
    start_up = year_to_date(2022, [0.01, 0.01, 0.01, 0.01]) + year_to_date(2023, [4, 4, 5, 5])
    with run(models, "GOOGL", start_up) as connection:
        assert quarters(connection)[2023, 3] == 5
        assert withheld(connection) == []
        connection.execute("use past")
        try:
            assert checks.filing_facts_are_plausible(connection, Settings()).passed
        finally:
            connection.execute("use build")
    with run(models, "GOOGL", [*facts[:4], cumulative(2024, 1, 16_000)]) as connection:
        connection.execute("use past")
        try:
            finding = checks.filing_facts_are_plausible(connection, Settings())
        finally:
            connection.execute("use build")
        assert not finding.passed
        assert finding.examples == [
            f"GOOGL capex 2024-01-01 to 2024-03-31: 16,000,000,000,000 ({PPE}, 0000000042-24-000001): {OFF}"
        ]


def test_a_first_filing_is_held_against_what_stands_beside_it(models: Models) -> None:
    """No other filing is known: capex above all assets is withheld, and one period a thousand times off the others."""
    assets = Fact("Assets", None, "2024-03-31", 400 * BN, "0000000042-24-000001", "2024-04-25")
    with run(models, "GOOGL", [cumulative(2024, 1, 12_000), assets]) as connection:
        assert withheld(connection) == [("2024-03-31", "more than all assets in the same filing")]
    years_stated = [cumulative(y, 4, v, 2024) for y, v in ((2022, 30), (2023, 0.032), (2024, 35))]
    with run(models, "GOOGL", years_stated) as connection:
        assert withheld(connection) == [
            ("2023-12-31", "more than fifty times off the other periods in the same filing")
        ]


def test_what_is_withheld_is_the_reason_of_a_producer_too(models: Models) -> None:
    wear = year_to_date(2024, [5, 5, 5, 5], tag="DepreciationDepletionAndAmortization")
    facts = [*wear, *year_to_date(2023, [7, 8, 7, 9]), *year_to_date(2024, [11, 12, 9])]
    facts[-2] = replace(facts[-2], value=facts[-2].value * 1000)
    with run(models, "CENX", facts) as connection:
        reasons = connection.execute(
            "select distinct capex_missing from past.intermediate.int_producers__periods "
            "where fiscal_year = 2024 and fiscal_quarter in (2, 3)"
        ).fetchall()
    assert reasons == [(f"no capex: the cumulative fact to 2024-06-30 is withheld: {OFF}",)]


# A direct quarter is checked as hard as a derived one


def test_a_years_amount_on_a_three_month_context_is_the_years(models: Models) -> None:
    """The filer is seen to do so where the year is also stated as such; then the other year is read the same way."""
    revenue = {"tag": "Revenues"}
    facts = [*year_to_date(2023, [10, 11, 12, 13], **revenue), direct(2023, 4, 46, **revenue)]
    facts += [*year_to_date(2024, [11, 12, 13], **revenue), direct(2024, 4, 50, **revenue)]
    with run(models, "GOOGL", facts) as connection:
        found = quarters(connection, "revenue")
        assert (found[2023, 4], found[2024, 4]) == (13, 14)
        assert (years(connection, "revenue")[2023, 4], years(connection, "revenue")[2024, 4]) == (46, 50)


def test_a_three_month_fact_above_nine_months_is_no_quarter(models: Models) -> None:
    with run(models, "GOOGL", [*year_to_date(2024, [10, 11, 12]), direct(2024, 4, 45)]) as connection:
        assert (2024, 4) not in quarters(connection)
        assert gaps(connection)[2024, 4] == "the three-month fact is above nine months of its year"
    # A jump that the year confirms is one.
    with run(models, "GOOGL", [*year_to_date(2024, [2, 2, 2, 9]), direct(2024, 4, 9)]) as connection:
        assert quarters(connection)[2024, 4] == 9


# One basis


def test_an_amended_year_alone_leaves_the_quarters_of_the_basis_before(models: Models) -> None:
    amended = cumulative(2024, 4, 130, accession="0000000042-25-000099", filed="2025-08-01", form="10-K/A")
    facts = [*year_to_date(2023, [20, 21, 22, 23]), *year_to_date(2024, [25, 26, 27, 28]), amended]
    with run(models, "META", facts) as connection:
        assert [quarters(connection)[2024, n] for n in (1, 2, 3, 4)] == [25, 26, 27, 28]
        assert years(connection)[2024, 4] == 130
        growth = connection.execute(
            "select capex_yoy_pct from past.main.driver_ai_capex where calendar_quarter = date '2024-10-01'"
        ).fetchall()
        assert growth == [(pytest.approx(100 * (28 / 23 - 1)),)]


def test_amendments_filed_together_are_a_basis_of_their_own(models: Models) -> None:
    """Year and nine months are amended within weeks: the fourth quarter is theirs, the others stay as first filed."""
    facts = year_to_date(2024, [25, 26, 27, 28])
    facts += [
        cumulative(2024, n, v, accession=f"0000000042-25-00009{n}", filed=f"2025-08-0{n}", form=form)
        for n, v, form in ((3, 84, "10-Q/A"), (4, 118, "10-K/A"))
    ]
    with run(models, "META", facts) as connection:
        assert [quarters(connection)[2024, n] for n in (1, 2, 3, 4)] == [25, 26, 27, 34]
        assert years(connection)[2024, 4] == 118


def test_an_amendment_that_repeats_what_it_amends_changes_nothing(models: Models) -> None:
    again = cumulative(2024, 4, 106, accession="0000000042-25-000099", filed="2025-03-01", form="10-K/A")
    with run(models, "META", [*year_to_date(2024, [25, 26, 27, 28]), again]) as connection:
        assert quarters(connection)[2024, 4] == 28
        assert years(connection)[2024, 4] == 106


def test_a_real_restatement_goes_through_once_it_is_whole(models: Models) -> None:
    """2023 as restated by the filings of 2024: all four quarters, the year, and growth on that basis."""
    restated = [cumulative(2023, n, v, 2024) for n, v in ((1, 16), (2, 32), (3, 47), (4, 65))]
    facts = [*year_to_date(2023, [20, 20, 20, 22]), *year_to_date(2024, [17, 18, 19, 20]), *restated]
    with run(models, "META", facts) as connection:
        assert [quarters(connection)[2023, n] for n in (1, 2, 3, 4)] == [16, 16, 15, 18]
        assert (years(connection)[2023, 4], years(connection)[2024, 2]) == (65, 15 + 18 + 17 + 18)
        assert withheld(connection) == []


def test_a_sum_over_a_restatement_that_is_not_whole_is_withheld(models: Models) -> None:
    """The comparatives of nine months are restated, the year's are not known yet."""
    restated = [cumulative(2023, n, v, 2024) for n, v in ((1, 12), (2, 25), (3, 36))]
    facts = [*year_to_date(2023, [20, 20, 20, 22]), *year_to_date(2024, [17, 18, 19]), *restated]
    with run(models, "META", facts) as connection:
        assert years(connection) == {(2023, 4): 82}
        rows = connection.execute(
            "select capex_ttm_gap_reason, capex_yoy_pct from past.main.driver_ai_capex "
            "where calendar_quarter between date '2024-01-01' and date '2024-07-01' order by calendar_quarter"
        ).fetchall()
        assert rows == [(NO_BASIS, pytest.approx(100 * (v / w - 1))) for v, w in ((17, 12), (18, 13), (19, 11))]


def test_an_immaterial_restatement_leaves_the_sum_as_first_filed_and_marked(models: Models) -> None:
    restated = [cumulative(2023, n, v, 2024) for n, v in ((1, 19.8), (2, 39.9), (3, 60))]
    facts = [*year_to_date(2023, [20, 20, 20, 22]), *year_to_date(2024, [17, 18, 19]), *restated]
    with run(models, "META", facts) as connection:
        assert years(connection)[2024, 1] == 79
        marks = connection.execute(
            "select capex_ttm_is_as_first_filed from past.main.driver_ai_capex "
            "where calendar_quarter = date '2024-01-01'"
        ).fetchall()
        assert marks == [(True,)]


# One definition


def test_two_tags_that_disagree_are_never_added(models: Models) -> None:
    old = year_to_date(2024, [10, 11, 12, 13])
    new = [*year_to_date(2025, [15, 16, 17], tag=ASSETS)]
    new += [cumulative(2024, n, v, 2025, tag=ASSETS) for n, v in ((1, 13), (2, 28), (3, 44))]
    wear = [year_to_date(y, [5, 5, 5, 5], tag="DepreciationDepletionAndAmortization") for y in (2024, 2025)]
    with run(models, "CENX", [*old, *new, *wear[0], *wear[1]]) as connection:
        assert [quarters(connection)[2024, n] for n in (1, 2, 3)] == [13, 15, 16]
        assert years(connection) == {(2024, 4): 46}
        reasons = connection.execute(
            "select distinct capex_missing from past.intermediate.int_producers__periods "
            "where fiscal_year = 2025 and fiscal_quarter < 4"
        ).fetchall()
        assert reasons == [(f"no capex: {NO_BASIS}",)]


def test_two_tags_that_agree_wherever_both_exist_stand_for_each_other(models: Models) -> None:
    """The year under one tag and nine months under the other; the tags agree in the first quarter, which has both."""
    facts = [*year_to_date(2024, [10, 11, 12], tag=ASSETS), cumulative(2024, 1, 10), cumulative(2024, 4, 46)]
    with run(models, "CENX", facts) as connection:
        assert quarters(connection)[2024, 4] == 13
        assert years(connection) == {(2024, 4): 46}


# Duplicates, transition periods, more quarters


def test_a_rounding_in_the_same_filing_loses_no_quarter(models: Models) -> None:
    rounded = cumulative(2024, 2, 42.3)
    with run(
        models, "AMZN", [*year_to_date(2024, [21.117, 21.203, 20.5, 22], tag=ASSETS), replace(rounded, tag=ASSETS)]
    ) as c:
        assert [quarters(c)[2024, n] for n in (1, 2, 3, 4)] == [21.117, 21.203, 20.5, 22]


@pytest.mark.parametrize(("quarterly", "annual"), [("10-QT", "10-KT"), ("10-QT/A", "10-KT/A")])
def test_a_transition_period_is_read(models: Models, quarterly: str, annual: str) -> None:
    """The fiscal year moved from June to December: the half year to December 2024 stands in a 10-KT."""
    facts = [
        Fact(PPE, "2024-07-01", "2024-09-30", 5 * BN, "0000000042-24-000003", "2024-10-25", quarterly),
        Fact(PPE, "2024-07-01", "2024-12-31", 11 * BN, "0000000042-25-000004", "2025-02-20", annual),
        *year_to_date(2025, [7, 8]),
    ]
    with run(models, "GOOGL", facts) as connection:
        assert quarters(connection) == {(2024, 3): 5, (2024, 4): 6, (2025, 1): 7, (2025, 2): 8}
        assert years(connection) == {(2025, 2): 26}


def test_a_quarter_comes_from_a_cumulative_figure_less_the_filings_own_quarters(models: Models) -> None:
    facts = [cumulative(2024, 2, 23), direct(2024, 2, 13), direct(2024, 3, 9), cumulative(2024, 4, 47)]
    with run(models, "AMZN", [replace(f, tag=ASSETS) for f in facts]) as connection:
        assert quarters(connection) == {(2024, 1): 10, (2024, 2): 13, (2024, 3): 9}
    facts[0] = replace(direct(2024, 1, 10), tag=ASSETS)
    with run(models, "AMZN", [replace(f, tag=ASSETS) for f in facts]) as connection:
        assert quarters(connection)[2024, 4] == 47 - 10 - 13 - 9


# Aggregates


def test_aggregates_compare_the_same_companies(models: Models) -> None:
    """MSFT and two that spend the same have filed to June 2025, GOOGL to March: it is carried, growth is theirs."""
    spent = {(2023, 1): 4, (2023, 2): 4, (2023, 3): 4, (2024, 1): 6, (2024, 2): 5, (2024, 3): 6}
    spent |= {(2025, 1): 9, (2025, 2): 10}
    msft = [
        Fact(PPE, f"{y}-{STARTS[q]}", f"{y}-{ENDS[q]}", v * BN, f"0000000041-{y % 100}-00000{q}", f"{y}-{FILED[q]}")
        for (y, q), v in spent.items()
    ]
    msft += [
        Fact(PPE, f"{y}-10-01", f"{y}-12-31", v * BN, f"0000000041-{y % 100}-000004", f"{y + 1}-02-01")
        for y, v in ((2023, 5), (2024, 7))
    ]
    googl = year_to_date(2023, [2, 2, 2, 2]) + year_to_date(2024, [3, 4, 3, 3]) + year_to_date(2025, [12])
    bodies = [companyfacts(models.cik(name), msft) for name in ("MSFT", "META")]
    bodies.append(companyfacts(models.cik("AMZN"), [replace(fact, tag=ASSETS) for fact in msft]))
    bodies.append(companyfacts(models.cik("GOOGL"), googl))
    with models.of(*bodies) as connection:
        columns = "capex_ttm_usd / 1e9, capex_ttm_companies, capex_ttm_companies_carried, capex_ttm_members, "
        columns += "capex_ttm_carried, like_for_like_yoy_pct, like_for_like_companies, like_for_like_acceleration_pp, "
        columns += "acceleration_companies"
        sql = f"select {columns} from past.main.driver_ai_capex_aggregate where calendar_quarter = ?"
        (march,) = connection.execute(sql, ["2025-01-01"]).fetchall()
        (june,) = connection.execute(sql, ["2025-04-01"]).fetchall()
        (first,) = connection.execute(
            "select capex_usd, capex_ttm_usd, like_for_like_yoy_pct, gap_reason "
            "from past.main.driver_ai_capex_aggregate where calendar_quarter = '2023-01-01'"
        ).fetchall()
    growth = 100 * (39 / 21 - 1)
    members = "AMZN, GOOGL, META, MSFT"
    assert march == (3 * 27 + 22, 4, 0, members, None, pytest.approx(growth), 4, pytest.approx(growth - 50), 4)
    # Without GOOGL's 22 the sum would fall from 103 to 96. The others: 10 over 5, after 5 over 4.
    assert june[:5] == (3 * 32 + 22, 4, 1, members, "GOOGL to 2025-03-31")
    assert june[5:] == (pytest.approx(100), 3, pytest.approx(75), 3)
    assert first == (14 * BN, None, None, None)


def test_every_filers_year_is_judged_and_growth_is_of_one_filing(models: Models) -> None:
    """Filer 41 states 2024 a thousand times too large; filer 42 restates 2023 in a transition report and grows."""
    wrong = [cumulative(y, 4, v, y) for y, v in ((2022, 3), (2023, 3), (2024, 4000), (2025, 5))]
    moved = [cumulative(2023, 4, 8), cumulative(2023, 4, 6, 2024), cumulative(2024, 4, 9)]
    moved = [replace(f, form="10-KT") for f in moved]
    with models.of(bulk=[companyfacts(41, wrong), companyfacts(42, moved)]) as connection:
        rows = connection.execute(
            "select calendar_year, filers, filers_refused, capex_usd / 1e9, like_for_like_filers, "
            "like_for_like_yoy_pct from past.main.capex_universe order by 1"
        ).fetchall()
        refused = connection.execute(
            "select cik, calendar_year, refusal from past.intermediate.int_capex_universe__filers "
            "where refusal is not null"
        ).fetchall()
    assert rows == [
        (2022, 1, 0, 3, 0, None),
        (2023, 2, 0, 9, 0, None),
        (2024, 1, 1, 9, 1, pytest.approx(50)),
        (2025, 1, 0, 5, 0, None),
    ]
    assert refused == [(41, 2024, "more than fifty times off the years before and after it")]


# The inputs beside the repository


def case(models: Models, cases: Path, number: int) -> Any:
    files = sorted((cases / f"filings_{number}").glob("*.json"))
    assert files, f"no inputs of case {number} in {cases}"
    return models.of(*(file.read_bytes() for file in files))


@pytest.mark.recorded
def test_case_1_a_scale_error(models: Models, cases: Path) -> None:
    with case(models, cases, 1) as connection:
        assert quarters(connection) == {(2024, 1): 10, (2024, 4): 10}
        assert gaps(connection) == dict.fromkeys(
            [(2024, 2), (2024, 3)], f"the cumulative fact to 2024-06-30 is withheld: {OFF}"
        )
        largest = "select max(capex_usd), max(capex_ttm_usd) from past.main.driver_ai_capex"
        assert connection.execute(largest).fetchall() == [(10 * BN, 40 * BN)]


@pytest.mark.recorded
def test_case_2_sign_and_thousands(models: Models, cases: Path) -> None:
    with case(models, cases, 2) as connection:
        assert quarters(connection) == {(2025, 3): 16}
        assert gaps(connection) == {
            (2025, 1): f"the three-month fact to 2024-09-30 is withheld: {NEGATIVE}",
            (2025, 2): f"the three-month fact to 2024-12-31 is withheld: {OFF}",
        }
        assert years(connection) == {}


@pytest.mark.recorded
def test_case_3_an_amended_year(models: Models, cases: Path) -> None:
    with case(models, cases, 3) as connection:
        assert (quarters(connection)[2024, 4], years(connection)[2024, 4]) == (25, 120)


@pytest.mark.recorded
def test_case_5_restated_comparatives(models: Models, cases: Path) -> None:
    with case(models, cases, 5) as connection:
        assert years(connection) == {(2024, 4): 100}


@pytest.mark.recorded
def test_case_6_another_tag(models: Models, cases: Path) -> None:
    with case(models, cases, 6) as connection:
        assert [quarters(connection)[2024, n] for n in (1, 2, 3)] == [0.014] * 3
        assert years(connection) == {(2024, 4): 0.04}


@pytest.mark.recorded
def test_case_7_a_rounded_duplicate(models: Models, cases: Path) -> None:
    with case(models, cases, 7) as connection:
        assert quarters(connection) == {(2024, n): 20.123 for n in (1, 2, 3, 4)}
        assert json.dumps(gaps(connection)) == "{}"
