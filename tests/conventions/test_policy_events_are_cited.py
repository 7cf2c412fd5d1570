"""Every curated policy event has a citation, metals of the catalogue and the source in which it was read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipelines import catalog as catalogue

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = (REPOSITORY / "docs" / "policy_events.md").read_text(encoding="utf-8")


def rows(seed: str) -> list[dict[str, str]]:
    with (REPOSITORY / "dbt_project" / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EVENTS = rows("curated_policy_events")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_id"])
def test_an_event_has_a_citation_and_a_line_of_sources(event: dict[str, str]) -> None:
    in_register = event["federal_register_citation"] or event["document_number"]
    assert in_register or event["posted_on"] or "U.S." in event["proclamation_or_order"]
    assert event["source_url"].startswith("https://")
    assert f"| {event['event_id']} |" in SOURCES


def test_the_day_to_which_measures_were_checked_is_that_of_the_sources() -> None:
    [checked] = rows("policy_events_checked")
    assert f"to {checked['checked_to']}" in SOURCES
    assert max(e["published_on"] or e["posted_on"] for e in EVENTS) <= checked["checked_to"]


def test_events_and_lists_name_metals_of_the_catalogue() -> None:
    known = set(catalogue.load(Path(catalogue.__file__).parent).metals)
    named = {metal for event in EVENTS for metal in event["metals"].split(";")} - {"all"}
    listed = {row["metal_id"] for row in rows("critical_minerals_lists")} - {""}
    assert named | listed <= known


COVERAGE = rows("measure_coverage")
FOLLOWED = {row["metal_id"] for row in COVERAGE}


def test_every_duty_and_proposed_duty_says_whether_it_reaches_refined_metal() -> None:
    stated = {(row["event_id"], row["metal_id"]) for row in COVERAGE if row["product_group"] == "refined"}
    asked = {
        (event["event_id"], metal)
        for event in EVENTS
        if event["measure"] in ("tariff", "tariff_change", "scope_change", "proposal")
        for metal in (FOLLOWED if event["metals"] == "all" else event["metals"].split(";"))
    }
    assert stated == asked


def test_coverage_of_copper_agrees_with_the_lists_of_tariff_lines() -> None:
    lines = {row["hts_prefix"][:4] for row in rows("tariff_products") if row["metal_id"] == "copper"}
    raw = {"2603", "7403", "7404"}
    assert not lines & raw
    assert len(lines & {f"74{number:02}" for number in range(6, 20)}) > 5
    on_copper = [row for row in COVERAGE if row["metal_id"] == "copper" and row["event_id"].startswith("s232_metals")]
    assert on_copper
    assert all(row["is_covered"] == "false" for row in on_copper if row["product_group"] != "semi_finished")


def test_the_bar_of_a_premium_is_what_it_costs_to_bring_metal_in() -> None:
    costs = {row["metal_id"]: float(row["arbitrage_cost_pct"]) for row in rows("arbitrage_costs")}
    bars = {
        row["indicator"]: float(row["threshold"])
        for row in rows("claim_rules")
        if row["claim_id"] == "D3" and row["indicator"].startswith("us_premium_")
    }
    assert bars == {f"us_premium_{metal}_pct": costs[metal] for metal in ("copper", "silver")}


def test_series_of_exchanges_and_imports_are_those_of_the_catalogue() -> None:
    tracked = catalogue.load(Path(catalogue.__file__).parent)
    for row in rows("exchange_series"):
        if row["role"] == "world_price_monthly":
            assert row["input_id"] in tracked.indicators
        else:
            assert tracked.series[row["input_id"]].metal == row["metal_id"]
        assert (row["role"] == "stock") == bool(row["tonnes_per_unit"])
    for row in rows("import_products"):
        for column in ("value_series_id", "weight_series_id"):
            assert tracked.series[row[column]].metal == row["metal_id"]
            assert tracked.series[row[column]].select["commodity"] == row["hs_code"]


def test_dates_of_an_event_stand_in_order() -> None:
    for event in EVENTS:
        # Days that were not read are empty; one of the posting and the publication was.
        days = [day for day in (event["signed_on"], event["posted_on"], event["published_on"]) if day]
        assert days == sorted(days), event["event_id"]
        assert event["posted_on"] or event["published_on"], event["event_id"]
        assert not event["ends_on"] or event["effective_on"] < event["ends_on"], event["event_id"]


def test_a_start_that_was_moved_is_an_event_of_its_own_known_from_the_day_it_was_moved() -> None:
    """The duties of 2026-07-20 were to begin on 2026-08-19; on the evening before, three days were added."""
    by_id = {event["event_id"]: event for event in EVENTS}
    for name in ("alcohol", "dairy", "motor_vehicles"):
        event = by_id[f"s338_canada_2026_{name}"]
        assert (event["posted_on"], event["effective_on"]) == ("2026-07-20", "2026-08-19")
        ends = by_id[event["superseded_by"]]
        assert (ends["posted_on"], ends["effective_on"]) == ("2026-08-19", ""), "it never came into force"
    start = by_id["s338_canada_start_2026"]
    assert (start["posted_on"], start["effective_on"]) == ("2026-08-19", "2026-08-22")


def test_each_list_of_critical_minerals_ends_where_the_next_begins_and_has_a_line_of_sources() -> None:
    spans = sorted(
        {
            (row["valid_from"], row["valid_to"], row["list_id"], row["published_on"])
            for row in rows("critical_minerals_lists")
        }
    )
    assert [span[1] for span in spans] == [span[0] for span in spans[1:]] + [""]
    for valid_from, _, list_id, published in spans:
        assert valid_from == published
        assert f"| {list_id} |" in SOURCES


def test_the_additions_of_a_list_are_on_it_and_were_not_on_the_one_before() -> None:
    listed: dict[str, set[str]] = {}
    for row in rows("critical_minerals_lists"):
        listed.setdefault(row["list_id"][-4:], set()).add(row["metal_id"])
    for year, before in (("2022", "2018"), ("2025", "2022")):
        event = next(event for event in EVENTS if event["event_id"] == f"critical_minerals_{year}")
        assert set(event["metals"].split(";")) == listed[year] - listed[before] - {""}
