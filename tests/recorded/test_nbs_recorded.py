"""The statistics office's recorded answers: figures read in the files by eye, the missing months, and both channels."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.settings import Settings
from pipelines.sources import Parsed, eastmoney, nbs
from tests.recordings import Recordings
from tests.replay import STATS_OFFICE, Replay, Seen

pytestmark = pytest.mark.recorded

PPI, INDUSTRY, PMI = (
    "esData/60e8b361f11c4a878c652a6487a25561",
    "esData/3f2e14f0542348ed9fe02476eca3450b",
    "esData/93ffbb1aa85740d3aa2618371508b606",
)
FILES = {
    PPI: "nbs/esData_ppi_same_month_last_year_100.json",
    INDUSTRY: "nbs/esData_industrial_value_added.json",
    PMI: "nbs/esData_manufacturing_pmi.json",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def found(recordings: list[Path]) -> Recordings:
    return Recordings(recordings)


@pytest.fixture(scope="module")
def parsed(found: Recordings, catalog: Catalog) -> dict[str, Parsed]:
    return {key: nbs.parse(found.path(file).read_bytes(), key, catalog) for key, file in FILES.items()}


def figures(parsed: Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


@pytest.mark.parametrize(
    ("key", "series_id", "read", "first", "last", "months"),
    [
        (
            PPI,
            "nbs_ppi_yoy_pct",
            {date(2026, 8, 1): 3.8, date(2026, 1, 1): -1.4, date(2025, 2, 1): -2.2},
            date(2016, 12, 1),
            date(2026, 8, 1),
            117,
        ),
        (
            INDUSTRY,
            "nbs_industrial_output_yoy_pct",
            {date(2026, 8, 1): 5.2, date(2026, 7, 1): 4.5, date(2026, 6, 1): 5.3},
            date(2015, 3, 1),
            date(2026, 8, 1),
            116,
        ),
        (
            INDUSTRY,
            "nbs_industrial_output_ytd_yoy_pct",
            {date(2026, 8, 1): 5.3, date(2026, 2, 1): 6.3, date(2020, 2, 1): -13.5},
            date(2015, 2, 1),
            date(2026, 8, 1),
            128,
        ),
        (
            PMI,
            "nbs_pmi_manufacturing_index",
            {date(2026, 9, 1): 50.1, date(2026, 8, 1): 49.8, date(2023, 2, 1): 52.6},
            date(2013, 6, 1),
            date(2026, 9, 1),
            160,
        ),
    ],
)
def test_figures_read_as_in_the_file(
    parsed: dict[str, Parsed],
    catalog: Catalog,
    key: str,
    series_id: str,
    read: dict[date, float],
    first: date,
    last: date,
    months: int,
) -> None:
    all_of_it = figures(parsed[key], series_id)
    assert {period: all_of_it[period] for period in read} == read
    assert (min(all_of_it), max(all_of_it), len(all_of_it)) == (first, last, months)
    assert parsed[key].rejects.is_empty()
    low, high = catalog.series[series_id].plausible
    assert all(low <= value <= high for value in all_of_it.values())


def test_industry_has_no_january_and_of_february_the_rate_since_january_alone(parsed: dict[str, Parsed]) -> None:
    alone = figures(parsed[INDUSTRY], "nbs_industrial_output_yoy_pct")
    since = figures(parsed[INDUSTRY], "nbs_industrial_output_ytd_yoy_pct")
    assert not {period.month for period in alone} & {1, 2}
    assert {period.month for period in since} == set(range(2, 13))
    assert parsed[INDUSTRY].missing == {"nbs_industrial_output_yoy_pct": 11}  # February of 2016 to 2026


def test_a_label_of_the_tables_own_list_matches_as_the_answers_do(found: Recordings, catalog: Catalog) -> None:
    listed = json.loads(found.path("nbs/queryIndicatorsByCid_3f2e14f0.json").read_text(encoding="utf-8"))
    items = listed["response"]["data"]["list"]
    by_indicator = {s.select["indicator"]: s for s in catalog.series_of("nbs")}
    assert [item["_id"][:8] for item in items] == ["ef1b1765", "21e7072e"]
    for item in items:
        assert item["catalogid"] == by_indicator[item["_id"]].select["table"]
        assert re.search(by_indicator[item["_id"]].select["label"], nbs._label(item)), item["i_showname"]


def test_the_nodes_of_the_tree_of_tables_stand_under_the_root_of_months(found: Recordings, catalog: Catalog) -> None:
    excerpt = json.loads(found.path("nbs/queryIndexTreeAsync.excerpt.json").read_text(encoding="utf-8"))
    nodes = {node["_id"]: node for children in excerpt.values() for node in children}
    assert nodes["4000345c59c34e68856ee651c6690f05"]["_name"] == "工业主要产品产量"
    assert {node["treeinfo_globalid"].split(".")[1] for node in nodes.values()} == {nbs.MONTHLY}
    catalogued = {series.select["table"] for series in catalog.series_of("nbs")}
    assert [nodes[table]["_name"].strip() for table in nodes if table in catalogued] == [
        "货物进出口总额",
        "货币供应量",
        "工业生产者出厂价格指数 (上年同月=100)",
    ]


@pytest.mark.parametrize(
    ("key", "ours", "report", "theirs", "months"),
    [
        (PPI, "nbs_ppi_yoy_pct", "RPT_ECONOMY_PPI", "cn_ppi_yoy_pct", 116),
        (PMI, "nbs_pmi_manufacturing_index", "RPT_ECONOMY_PMI", "cn_pmi_manufacturing_index", 158),
    ],
)
def test_the_other_channel_says_the_same_in_every_month(
    parsed: dict[str, Parsed],
    catalog: Catalog,
    found: Recordings,
    key: str,
    ours: str,
    report: str,
    theirs: str,
    months: int,
) -> None:
    other = eastmoney.parse(found.path(f"eastmoney/2026-08-21/{report}.json").read_bytes(), report, catalog)
    both = (
        parsed[key]
        .observations.filter(series_id=ours)
        .join(other.observations.filter(series_id=theirs), on="period", suffix="_other")
    )
    assert both.height == months
    assert both.filter((pl.col("value") - pl.col("value_other")).abs() > 1e-9).is_empty()


def test_the_replay_serves_a_table_from_the_day_it_was_recorded(recordings: list[Path], catalog: Catalog) -> None:
    replay = Replay(recordings)
    request = next(r for r in nbs.plan(catalog, date(2026, 10, 20)) if r.key == PMI)
    seen = Seen(*STATS_OFFICE, {}, {}, 0.0, request.body or b"")
    newest = {}
    for day in ("2026-10-07", "2026-10-08"):
        replay.now = day
        newest[day] = max(
            figures(nbs.parse(replay.answer(seen).body, PMI, catalog), "nbs_pmi_manufacturing_index").items()
        )
    assert newest["2026-10-08"] == (date(2026, 9, 1), 50.1)
    assert newest["2026-10-07"] != newest["2026-10-08"], "made up until then"
