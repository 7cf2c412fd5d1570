"""Trade policy by metal and month, counted again from the reference tables in plain Python; uncertainty in numpy."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
Row = dict[str, str]


def seed(name: str) -> list[Row]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EVENTS = {row["event_id"]: row for row in seed("curated_policy_events")}
COVERAGE = {(r["event_id"], r["metal_id"], r["product_group"]): r for r in seed("measure_coverage")}
METALS = sorted({metal for _, metal, _ in COVERAGE})
GROUPS = sorted({group for _, _, group in COVERAGE})
DUTIES = ("tariff", "tariff_change", "scope_change")


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def starts(event: Row) -> date:
    return day(event["effective_on"]) or known_on(event)


def known_on(event: Row) -> date:
    return date.fromisoformat(event["posted_on"] or event["published_on"])


def published(event: Row, on: date) -> bool:
    return known_on(event) <= on


def ended(event: Row, on: date) -> bool:
    """Whether the event's own end has come, or what replaced it had been published and had taken effect."""
    own = day(event["ends_on"])
    replacing = EVENTS.get(event["superseded_by"])
    return bool((own and own <= on) or (replacing and published(replacing, on) and starts(replacing) <= on))


def covered(event_id: str, metal: str, group: str, on: date) -> bool | None:
    """Whether the event reaches the group of products on that day; None where the table does not say."""
    row = COVERAGE.get((event_id, metal, group))
    if row is None or not row["is_covered"]:
        return None
    exempting = EVENTS.get(row["exempted_by"])
    if exempting and published(exempting, on) and starts(exempting) <= on:
        return False
    return row["is_covered"] == "true"


def expected(metal: str, on: date) -> dict[str, Any]:
    known = {
        name: event
        for name, event in EVENTS.items()
        if published(event, on) and {metal, "all"} & set(event["metals"].split(";"))
    }
    standing = {
        name
        for name, event in known.items()
        if event["measure"] in DUTIES and starts(event) <= on and not ended(event, on)
    }
    counted = {
        name
        for name in standing
        if known[name]["metals"] != "all" or any(covered(name, metal, group, on) for group in GROUPS)
    }
    general = {name for name in standing if COVERAGE.get((name, metal, "refined"), {}).get("is_general") == "true"}
    refined = {name for name in standing if covered(name, metal, "refined", on)}
    proposals = {
        name
        for name, event in known.items()
        if event["measure"] == "proposal" and not ended(event, on) and starts(event) > on
    }
    inquiries = {name for name, event in known.items() if event["measure"] == "investigation" and not ended(event, on)}

    def highest(names: set[str]) -> float | None:
        return max((float(known[n]["rate_pct"]) for n in names if known[n]["rate_pct"]), default=None)

    unread = {
        name
        for name in general
        if covered(name, metal, "refined", on) is None or (name in refined and not known[name]["rate_pct"])
    }
    return {
        "measures_in_force": len(counted),
        "measures_in_force_ids": ", ".join(sorted(counted)) or None,
        "highest_rate_pct": highest(counted),
        "refined_rate_pct": highest(refined & general) or 0.0,
        "refined_rate_any_origin_pct": highest(refined) or 0.0,
        "refined_measures_unread": len(unread),
        "proposals_pending": len(proposals),
        "investigations_open": len(inquiries),
        "refined_rate_proposed_pct": highest({n for n in proposals if covered(n, metal, "refined", on)}),
    }


def last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def test_every_month_of_every_metal_is_what_the_reference_tables_say(built: duckdb.DuckDBPyConnection) -> None:
    columns = list(expected("copper", date(2025, 1, 1)))
    rows = built.execute(
        f"select metal_id, month, status_on, {', '.join(columns)} from driver_trade_policy order by all"
    ).fetchall()
    assert {row[0] for row in rows} == set(METALS)
    assert len(rows) > 1000
    [(as_of,)] = built.execute("select distinct as_of from policy_events").fetchall()
    for metal, month, status_on, *found in rows:
        assert status_on == min(last_day(month), as_of)
        assert dict(zip(columns, found, strict=True)) == expected(metal, status_on), (metal, month)


@pytest.mark.parametrize(
    ("metal", "month", "rate", "refined"),
    [
        ("copper", date(2025, 7, 1), None, 0),  # posted on 30 July, in effect from 1 August
        ("copper", date(2025, 8, 1), 50, 0),  # pipes and wires; a cathode is exempt
        ("aluminium", date(2025, 2, 1), 200, 10),  # 25 % signed, in effect from 12 March
        ("aluminium", date(2025, 3, 1), 200, 25),
        ("aluminium", date(2025, 6, 1), 200, 50),
        ("nickel", date(2025, 8, 1), 25, 10),  # exempt from the reciprocal duty since 8 September
        ("nickel", date(2025, 9, 1), 25, 0),
        ("lead", date(2026, 7, 1), None, 0),  # the surcharge of 150 days ended on 24 July
    ],
)
def test_known_tariff_dates_are_found(
    built: duckdb.DuckDBPyConnection, metal: str, month: date, rate: float | None, refined: float
) -> None:
    [found] = built.execute(
        "select highest_rate_pct, refined_rate_pct from driver_trade_policy where metal_id = ? and month = ?",
        [metal, month],
    ).fetchall()
    assert found == (rate, refined)


def test_copper_and_silver_are_listed_from_november_2025(built: duckdb.DuckDBPyConnection) -> None:
    first = built.execute(
        "select metal_id, min(month) from driver_trade_policy where is_critical_mineral group by metal_id"
    ).fetchall()
    assert dict(first) == {
        **dict.fromkeys(
            ("aluminium", "cobalt", "lithium", "palladium", "platinum", "tin", "uranium"), date(2018, 5, 1)
        ),
        **dict.fromkeys(("nickel", "zinc"), date(2022, 2, 1)),
        **dict.fromkeys(("copper", "lead", "silver"), date(2025, 11, 1)),
    }


def test_uncertainty_is_scored_against_its_own_past(built: duckdb.DuckDBPyConnection) -> None:
    series = built.execute(
        """
        select period, arg_max(value, known_at) from raw.observation
        where series_id = 'tpu_monthly_index' group by period order by period
        """
    ).fetchall()
    months = [month for month, _ in series]
    values = np.array([value for _, value in series])
    rows = built.execute(
        """
        select month, trade_policy_uncertainty_index, trade_policy_uncertainty_zscore_expanding
        from driver_trade_policy where metal_id = 'copper' and trade_policy_uncertainty_index is not null
        """
    ).fetchall()
    assert len(rows) > 80
    for month, value, zscore in rows:
        past = values[: months.index(month) + 1]
        assert value == past[-1]
        assert zscore == pytest.approx((value - past.mean()) / past.std(ddof=1), rel=1e-9)


def test_without_exchange_prices_nothing_is_said_of_tightness(built: duckdb.DuckDBPyConnection) -> None:
    """No exchange price, stock or import was recorded: the mart is empty, and the claim says what is missing."""
    assert built.execute("select count(*) from divergence_trade_tightness").fetchall() == [(0,)]
    [(verdict, because)] = built.execute("select verdict, because from claim_verdicts where claim_id = 'D3'").fetchall()
    assert verdict == "mixed"
    for words in (
        "2 of 2 stand on the list",
        "no general duty on refined copper",
        "the COMEX premium on copper has no",
    ):
        assert words in because


def test_a_row_that_rests_on_a_reference_table_leads_to_the_cited_document(built: duckdb.DuckDBPyConnection) -> None:
    without = built.execute(
        """
        with published as (
            select 'driver_trade_policy' as table_name, metal_id || '|' || cast(month as varchar) as row_key
            from driver_trade_policy
            union all
            select 'policy_events', event_id || '|' || metal_id from policy_events
        )
        select
            count(*),
            count(*) filter (where (table_name, row_key) not in (select (table_name, row_key) from lineage))
        from published
        """
    ).fetchall()
    assert without[0][0] > 1000
    assert without[0][1] == 0
    cited = built.execute(
        "select input_id, payload_id from lineage where table_name = ? and row_key = ?",
        ["policy_events", "s232_copper_2025|copper"],
    ).fetchall()
    assert cited == [("document 2025-14893", "seed:curated_policy_events")]
