"""Each check of each contract rejects the rows it is meant for, and passes good rows."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from pipelines import columns, contracts
from pipelines.contracts import schemas

OBSERVATION: dict[str, Any] = {
    "series_id": "copper",
    "period": date(2026, 1, 1),
    "value": 9000.0,
    "decimals": 2,
    "plausible_low": 400.0,
    "plausible_high": 60000.0,
    "retrieved_on": date(2026, 2, 10),
    "row": "B1",
}
FILING_FACT: dict[str, Any] = {
    "cik": 789019,
    "taxonomy": "us-gaap",
    "tag": "Capex",
    "unit": "USD",
    "period_start": date(2025, 1, 1),
    "period_end": date(2025, 12, 31),
    "value": 5e9,
    "accession": "0000789019-26-000001",
    "form": "10-K",
    "filed": date(2026, 1, 30),
    "fiscal_year": 2025,
    "fiscal_period": "FY",
    "retrieved_on": date(2026, 2, 10),
    "row": "us-gaap/Capex",
}
POLICY_DOCUMENT: dict[str, Any] = {
    "document_number": "2026-00001",
    "topic": "tariffs",
    "type": "Rule",
    "subtype": None,
    "title": "A rule",
    "agencies": "customs",
    "publication_date": date(2026, 2, 2),
    "signing_date": None,
    "effective_on": None,
    "citation": "91 FR 1",
    "executive_order_number": None,
    "proclamation_number": None,
    "html_url": None,
    "retrieved_on": date(2026, 2, 10),
    "row": "results[0]",
}
FILING: dict[str, Any] = {
    "cik": 789019,
    "accession": "0000789019-26-000001",
    "form": "10-K",
    "filing_date": date(2026, 1, 30),
    "report_date": date(2025, 12, 31),
    "acceptance_datetime": "2026-01-30T16:05:00.000Z",
    "primary_document": "a10-k.htm",
    "retrieved_on": date(2026, 2, 10),
    "row": "filing 0",
}
TARIFF_RELEASE: dict[str, Any] = {
    "release_id": "2026HTSRev4",
    "title": "Revision 4",
    "status": "current",
    "release_start_date": date(2026, 2, 1),
    "retrieved_on": date(2026, 2, 10),
    "row": "0",
}
GOOD = {
    "observation": OBSERVATION,
    "filing_fact": FILING_FACT,
    "filing": FILING,
    "policy_document": POLICY_DOCUMENT,
    "tariff_release": TARIFF_RELEASE,
}
# Which column makes a second row another row than the first.
OTHER = {
    "observation": {"series_id": "zinc"},
    "filing_fact": {"tag": "Revenue"},
    "filing": {"accession": "0000789019-26-000009"},
    "policy_document": {"topic": "minerals"},
    "tariff_release": {"release_id": "2026HTSRev5"},
}
MUTATIONS = [
    ("observation", {"period": date(1849, 12, 31)}, "period: greater_than_or_equal_to(1850-01-01)"),
    ("observation", {"value": float("inf")}, "is not a finite number"),
    ("observation", {"value": float("-inf")}, "is not a finite number"),
    ("observation", {"value": float("nan")}, "is not a finite number"),
    ("observation", {"value": 399.99}, "is outside the plausible range of the catalogue"),
    ("observation", {"value": 60000.01}, "is outside the plausible range of the catalogue"),
    ("observation", {"decimals": -1}, "decimals: in_range(0, 20)"),
    ("observation", {"decimals": 21}, "decimals: in_range(0, 20)"),
    ("observation", {"period": date(2026, 2, 11)}, "its period starts after the payload was fetched"),
    ("observation", {"plausible_low": None, "plausible_high": None}, "plausible_low: not_nullable"),
    ("filing_fact", {"cik": 0}, "cik: greater_than(0)"),
    ("filing_fact", {"value": float("inf")}, "is not a finite number"),
    ("filing_fact", {"accession": "789019-26-1"}, "accession: str_matches"),
    ("filing_fact", {"period_end": date(1849, 12, 31)}, "period_end: greater_than_or_equal_to(1850-01-01)"),
    ("filing_fact", {"period_start": date(2026, 1, 1)}, "its period starts after it ends"),
    ("filing_fact", {"filed": date(2025, 12, 30)}, "was filed before its period ended"),
    ("filing_fact", {"filed": date(2026, 2, 11)}, "is filed later than it was fetched"),
    ("filing", {"cik": 0}, "cik: greater_than(0)"),
    ("filing", {"accession": "0000789019-26-00001"}, "accession: str_matches"),
    ("filing", {"filing_date": date(1849, 12, 31)}, "filing_date: greater_than_or_equal_to(1850-01-01)"),
    ("filing", {"filing_date": date(2026, 2, 11)}, "is filed later than it was fetched"),
    ("policy_document", {"publication_date": date(2026, 2, 11)}, "is dated later than it was fetched"),
    ("tariff_release", {"status": ""}, "status: str_length"),
    ("tariff_release", {"release_start_date": date(1849, 12, 31)}, "release_start_date: greater_than_or_equal_to"),
]
# Of every column of a type, in every table: values that no publisher means.
BEYOND: dict[type[pl.DataType], list[tuple[Any, str]]] = {
    pl.Float64: [
        *((value, "is larger or smaller than any figure") for value in (1e308, -1e308, 1.1e18, 1e-300, -1e-13)),
        (float("inf"), "is not a finite number"),
    ],
    pl.Date: [
        *((date(year, 12, 31), "greater_than_or_equal_to(1850-01-01)") for year in (1, 1849)),
        *((date(year, 1, 2), "less_than_or_equal_to(2200-01-01)") for year in (2200, 9999)),
    ],
    pl.String: [("1" * 2_001, "is longer than 2,000 characters")],
}
ALLOWED = [
    ("filing_fact", {"value": 1e18}),
    ("filing_fact", {"value": 0.0}),
    ("filing_fact", {"value": 1e-12}),
    ("filing_fact", {"period_start": None, "period_end": date(2126, 1, 1)}),  # a bond's day
    ("observation", {"value": 400.0}),
    ("observation", {"value": 60000.0}),
    ("observation", {"decimals": None}),
    ("observation", {"period": date(2026, 2, 10)}),
    ("observation", {"period": date(1850, 1, 1)}),
    ("filing_fact", {"period_start": None}),
    ("filing_fact", {"period_start": None, "filed": date(2025, 12, 20)}),  # a cover page's instant
    ("filing_fact", {"filed": date(2026, 2, 10)}),
    ("filing_fact", {"value": -5e9}),
    ("filing_fact", {"fiscal_year": None, "fiscal_period": None}),
    ("policy_document", {"publication_date": date(2026, 2, 10)}),
    ("policy_document", {"type": None, "agencies": None}),
    ("filing", {"filing_date": date(2026, 2, 10), "report_date": None}),
    ("tariff_release", {"release_start_date": None, "title": None}),
    ("tariff_release", {"release_start_date": date(2027, 1, 1)}),  # announced
]


def contract(name: str) -> pa.DataFrameSchema:
    return schemas.BY_TABLE[name]


def frame(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={n: c.dtype.type for n, c in contract(name).columns.items()})


@pytest.mark.parametrize("name", GOOD)
def test_a_good_row_passes(name: str) -> None:
    verdict = contracts.validate(frame(name, GOOD[name]), name)
    assert (verdict.good.height, verdict.bad.height) == (1, 0)


@pytest.mark.parametrize(("name", "mutation", "reason"), MUTATIONS)
def test_a_check_rejects_its_row_and_leaves_the_good_ones(name: str, mutation: dict[str, Any], reason: str) -> None:
    good = GOOD[name]
    bad = good | OTHER[name] | mutation | {"row": "the bad one"}
    last = good | OTHER[name] | {key: f"{value[:-1]}2" for key, value in OTHER[name].items()}
    verdict = contracts.validate(frame(name, good, bad, last), name)
    assert verdict.good.equals(frame(name, good, last))
    assert verdict.bad["row"].to_list() == ["the bad one"]
    assert reason in verdict.bad["reason"][0]


def checks_of(name: str) -> set[str]:
    """Every check of a contract but those on null and on uniqueness, as a reason names it."""
    of_columns = {f"{column}: {c.error}" for column, spec in contract(name).columns.items() for c in spec.checks}
    return of_columns | {f"row: {check.error}" for check in contract(name).checks}


def test_every_raw_table_has_a_good_row_here() -> None:
    assert set(GOOD) == set(columns.RAW)


@pytest.mark.parametrize("name", GOOD)
def test_every_check_has_a_row_above_that_breaks_it(name: str) -> None:
    """A check that is added without one fails here: nothing would show that it can reject."""
    broken = [GOOD[name] | OTHER[name] | mutation for of, mutation, _ in MUTATIONS if of == name]
    shown = {
        reason
        for row in broken
        for reasons in contracts.validate(frame(name, row), name).bad["reason"]
        for reason in reasons.split("; ")
    }
    bounds = {f"{c}: {said}" for c, spec in columns.RAW[name.lower()].items() for _, said in BEYOND.get(spec.type, [])}
    assert checks_of(name) - shown - bounds == set()  # bounds are tested below, for every column
    assert columns.KEYS[name.lower()], "and what tells its rows apart is unique"


@pytest.mark.parametrize(
    ("name", "column", "value", "reason"),
    [
        pytest.param(name, column, value, reason, id=f"{name}-{column}-{str(value)[:10]}")
        for name in GOOD
        for column, spec in columns.RAW[name.lower()].items()
        for value, reason in BEYOND.get(spec.type, [])
    ],
)
def test_what_no_publisher_means_is_rejected_in_every_column(name: str, column: str, value: Any, reason: str) -> None:
    verdict = contracts.validate(frame(name, GOOD[name], GOOD[name] | OTHER[name] | {column: value}), name)
    assert verdict.good.height == 1
    assert f"{column}: {reason}" in verdict.bad["reason"][0]


@pytest.mark.parametrize(("name", "change"), ALLOWED)
def test_a_value_at_the_edge_of_a_check_passes(name: str, change: dict[str, Any]) -> None:
    assert contracts.validate(frame(name, GOOD[name] | change), name).bad.is_empty()


@pytest.mark.parametrize(
    ("name", "column"),
    [(name, c) for name in GOOD for c, spec in contract(name).columns.items() if not spec.nullable],
)
def test_a_null_is_rejected_where_a_value_must_stand(name: str, column: str) -> None:
    verdict = contracts.validate(frame(name, GOOD[name], GOOD[name] | OTHER[name] | {column: None}), name)
    assert verdict.good.height == 1
    assert f"{column}: not_nullable" in verdict.bad["reason"][0]


@pytest.mark.parametrize("name", GOOD)
def test_of_duplicates_both_rows_are_named_whatever_they_say(name: str) -> None:
    value = {"value": 8000.0} if "value" in GOOD[name] else {"retrieved_on": date(2026, 2, 11)}
    rows = [GOOD[name] | {"row": "first"}, GOOD[name] | OTHER[name], GOOD[name] | value | {"row": "third"}]
    verdict = contracts.validate(frame(name, *rows), name)
    assert verdict.bad["row"].to_list() == ["first", "third"]
    assert all("multiple_fields_uniqueness" in reason for reason in verdict.bad["reason"])
    assert verdict.good.height == 1


def test_two_instants_of_one_accession_are_duplicates_although_they_have_no_start() -> None:
    instant = FILING_FACT | {"period_start": None}
    verdict = contracts.validate(frame("filing_fact", instant, instant | {"value": 1.0}), "filing_fact")
    assert verdict.bad.height == 2


def test_every_reason_of_a_row_is_given_once() -> None:
    bad = OBSERVATION | {"value": 1e9, "decimals": 30, "period": date(2030, 1, 1)}
    verdict = contracts.validate(frame("observation", bad), "observation")
    assert verdict.bad["reason"][0].split("; ") == [
        "decimals: in_range(0, 20)",
        "row: is outside the plausible range of the catalogue",
        "row: its period starts after the payload was fetched",
    ]


@pytest.mark.parametrize("by_way_of", ["frame", "lazy frame"])
def test_canary_values_are_really_checked(by_way_of: str) -> None:
    """pandera looks only at names and types of a LazyFrame; what comes from one must be checked all the same."""
    rows = frame("observation", OBSERVATION | {"value": -1.0})
    if by_way_of == "lazy frame":
        rows = rows.lazy().filter(pl.col("value") < 0).collect()
    assert contracts.validate(rows, "observation").bad.height == 1


@pytest.mark.parametrize(
    "setting", [{"PANDERA_VALIDATION_ENABLED": "False"}, {"PANDERA_VALIDATION_DEPTH": "SCHEMA_ONLY"}]
)
def test_the_environment_cannot_switch_the_checks_off(setting: dict[str, str]) -> None:
    """pandera reads the environment once, when it is imported: hence a process of its own."""
    code = """
from tests.unit.test_contracts import OBSERVATION, frame
from pipelines import contracts
print(contracts.validate(frame("observation", OBSERVATION | {"value": -1.0}), "observation").bad.height)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **setting}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"


def test_a_lazy_frame_itself_is_no_way_around_the_checks() -> None:
    rows = frame("observation", OBSERVATION | {"value": -1.0}).lazy()
    try:
        verdict = contracts.validate(rows, "observation")  # type: ignore[arg-type]
    except (AttributeError, TypeError):
        return
    assert verdict.bad.height == 1


def test_a_frame_without_rows_passes() -> None:
    verdict = contracts.validate(frame("filing_fact"), "filing_fact")
    assert (verdict.good.height, verdict.bad.height) == (0, 0)
    assert verdict.bad.columns == [*contract("filing_fact").columns, "reason"]


@pytest.mark.parametrize(
    "broken",
    [
        frame("observation", OBSERVATION).drop("decimals"),
        frame("observation", OBSERVATION).with_columns(extra=pl.lit(1)),
        frame("observation", OBSERVATION).with_columns(pl.col("value").cast(pl.String)),
        frame("observation").drop("decimals"),
    ],
    ids=["column missing", "column too many", "wrong type", "column missing, no rows"],
)
def test_a_wrong_shape_is_a_bug_of_the_parser_and_raises(broken: pl.DataFrame) -> None:
    with pytest.raises(pa.errors.SchemaErrors):
        contracts.validate(broken, "observation")
