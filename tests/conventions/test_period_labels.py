"""One name for a period on the terminal, in the brief and in the sentences of claims; one precision for a unit."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import duckdb
import jinja2
import pytest

from pipelines.brief import formats
from pipelines.catalog import Frequency, period_label
from pipelines.reporting import status

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
STARTS = {
    Frequency.DAILY: (date(2026, 8, 21), "21 Aug 2026"),
    Frequency.WEEKLY: (date(2026, 8, 4), "week of 4 Aug 2026"),
    Frequency.MONTHLY: (date(2026, 8, 1), "Aug 2026"),
    Frequency.QUARTERLY: (date(2026, 4, 1), "2026Q2"),
    Frequency.ANNUAL: (date(2025, 1, 1), "2025"),
    Frequency.US_FISCAL_YEAR: (date(2024, 10, 1), "FY2025"),
}


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("frequency", Frequency)
def test_a_period_has_one_name_everywhere(frequency: Frequency) -> None:
    start, name = STARTS[frequency]
    assert period_label(start, frequency) == name
    assert formats.written(start, "period", frequency) == name
    macros = jinja2.Environment().from_string((PROJECT / "macros" / "text.sql").read_text()).module  # noqa: S701 - SQL
    written = macros.period_text("p", "f")  # type: ignore[attr-defined]
    query = f"select {written} from (select ?::date as p, ? as f)"
    assert duckdb.execute(query, [start, frequency.value]).fetchall() == [(name,)]
    if frequency is Frequency.US_FISCAL_YEAR:  # until 1976 it began in July
        assert period_label(date(1969, 7, 1), frequency) == "FY1970"
        assert duckdb.execute(query, [date(1969, 7, 1), frequency.value]).fetchall() == [("FY1970",)]


def test_a_value_is_compared_with_its_bars_as_finely_as_both_are_shown() -> None:
    decimals = {row["unit"]: int(row["decimals"]) for row in seed("claim_units")}
    for rule in seed("claim_rules"):
        shown = [formats.UNITS[rule["unit"]].decimals]
        shown += [
            len(rule[bar].partition(".")[2]) for bar in ("threshold", "threshold_high", "contradiction_threshold")
        ]
        for ratio, digits in re.findall(r"\{value:(abs|pct)?(\d)\}", rule["sentence"]):
            shown.append(int(digits) + (2 if ratio == "pct" else 0))
        assert decimals[rule["unit"]] >= max(shown), (rule["claim_id"], rule["indicator"])


def test_nothing_is_written_as_minus_zero() -> None:
    assert status.figure(-0.001) == "0.00"
    assert formats.number(-0.001, "zscore") == "0.00"
    assert formats.number(-0.001, None) == "0.00"
