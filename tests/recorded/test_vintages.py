"""Vintages, loaded in the order they were retrieved: what counts as a change and what does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import catalog as catalogs
from pipelines import ingest, sources, warehouse
from pipelines.catalog import Catalog, History
from pipelines.ingest import continuity
from pipelines.settings import Settings
from tests.recordings import Recordings

PINK_SHEETS = ("2024-10-11", "2026-03-05", "2026-06-03")
WORKBOOK = "CMO-Historical-Data-Monthly"
PRICES = 12  # catalogued columns of the Pink Sheet


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return catalogs.load(Settings().catalog_dir)


@pytest.fixture
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.scratch() as connection:
        yield connection


def load(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, source: str, key: str, file: Path, retrieved: str
) -> ingest.Report:
    body = file.read_bytes()
    payload = ingest.Payload(hashlib.sha256(body).hexdigest(), key, datetime.fromisoformat(retrieved), body)
    report = ingest.Report()
    ingest.load_payload(raw, payload, catalog.sources[source], sources.module(source), catalog, report)
    return report


def pink_sheet(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path, vintage: str, retrieved: str | None = None
) -> ingest.Report:
    file = payloads / "worldbank" / vintage / f"{WORKBOOK}.xlsx"
    return load(raw, catalog, "worldbank_pink_sheet", WORKBOOK, file, retrieved or vintage)


def rows(raw: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return raw.execute(sql).fetchall()


def test_three_pink_sheets_in_order_add_new_months_and_no_row_for_lost_decimals(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path
) -> None:
    reports = [pink_sheet(raw, catalog, payloads, vintage) for vintage in PINK_SHEETS]
    # 777 months from 1960-01 to 2024-09 for eleven columns, 657 from 1970-01 for coal; then 17 and 3 months for all.
    assert [r.rows_added for r in reports] == [11 * 777 + 657, PRICES * 17, PRICES * 3]
    assert [r.rows_changed for r in reports] == [0, 0, 0]
    assert [r.rows_quarantined for r in reports] == [0, 0, 0]
    newest = rows(
        raw,
        """
        select distinct strftime(period, '%Y-%m') from raw.observation as o
        inner join raw.payload as p on o.payload_id = p.payload_id
        where p.retrieved_at = timestamp '2026-06-03' order by 1
        """,
    )
    assert newest == [("2026-03",), ("2026-04",), ("2026-05",)]


def test_the_rounded_sheet_leaves_the_digits_that_were_known(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path
) -> None:
    for vintage in PINK_SHEETS:
        pink_sheet(raw, catalog, payloads, vintage)
    with_more = "select count(*) from raw.observation where period < date '2026-03-01' and round(value, 2) <> value"
    assert rows(raw, with_more)[0][0] > 1000
    newest = "select count(*) from raw.observation where period >= date '2026-03-01' and round(value, 2) <> value"
    assert rows(raw, newest) == [(0,)]


@pytest.mark.parametrize("vintage", PINK_SHEETS)
def test_a_pink_sheet_loaded_twice_adds_nothing(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path, vintage: str
) -> None:
    pink_sheet(raw, catalog, payloads, vintage)
    again = pink_sheet(raw, catalog, payloads, vintage, "2026-07-01")
    assert (again.rows_added, again.rows_changed) == (0, 0)


def test_the_fine_sheet_after_the_rounded_one_adds_its_digits_and_the_rounded_one_again_takes_none(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fine sheet is the older file, which is refused; here it stands for a publisher that prints digits again.
    monkeypatch.setattr(continuity, "older", lambda *_: None)
    first = pink_sheet(raw, catalog, payloads, "2026-06-03")
    assert first.rows_added == 11 * 797 + 677
    fine = pink_sheet(raw, catalog, payloads, "2026-03-05", "2026-06-20")
    assert (fine.rows_added, fine.rows_changed) == (0, 0)
    assert fine.rows_refined == 1795  # the other 205 that differ are single-precision images of the rounded figures
    far = """
        select count(*) from (
            select series_id, period, max(value) - min(value) as apart from raw.observation group by all
        ) where apart > 0.005 * 1.000001
    """
    assert rows(raw, far) == [(0,)]  # each of them only refines
    # Twelve series by the three months that the older file does not reach.
    assert rows(raw, "select sum(rows_vanished) from raw.coverage") == [(36,)]
    again = pink_sheet(raw, catalog, payloads, "2026-06-03", "2026-07-01")
    assert (again.rows_added, again.rows_changed) == (0, 0)


def test_of_two_eastmoney_vintages_exactly_the_revised_exports_are_observed(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path
) -> None:
    reports = {
        (vintage, report): load(
            raw, catalog, "eastmoney", report, payloads / "eastmoney" / vintage / f"{report}.json", vintage
        )
        for vintage in ("2026-06-20", "2026-08-21")
        for report in ("RPT_ECONOMY_CURRENCY_SUPPLY", "RPT_ECONOMY_CUSTOMS", "RPT_ECONOMY_PPI")
    }
    assert {place: r.rows_changed for place, r in reports.items() if r.rows_changed} == {
        ("2026-08-21", "RPT_ECONOMY_CUSTOMS"): 1
    }
    exports = rows(
        raw,
        """
        select value, strftime(known_at, '%Y-%m-%d'), known_at_basis from raw.observation
        where series_id = 'cn_exports_yoy_pct' and period = date '2026-05-01' order by known_at
        """,
    )
    assert exports == [(19.4, "2026-06-20", "observed"), (19.2, "2026-08-21", "observed")]
    # Of the stable series nothing was observed; June and July are the new months of all eight.
    observed = "select distinct series_id from raw.observation where known_at_basis = 'observed' order by all"
    assert rows(raw, observed) == [
        ("cn_exports_yoy_pct",),
        ("cn_exports_ytd_yoy_pct",),
        ("cn_m1_cny_hundred_millions",),
    ]
    assert sum(r.rows_added for (vintage, _), r in reports.items() if vintage == "2026-08-21") == 8 * 2


MONEY = "RPT_ECONOMY_CURRENCY_SUPPLY"


@pytest.mark.recorded
def test_july_gives_six_levels_of_money_their_second_decimal_and_august_takes_it_from_none(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, recordings: list[Path]
) -> None:
    """The recordings of June and August were rounded to one decimal; in July the service itself was recorded."""
    found = Recordings(recordings)
    files = {
        "2026-06-20": found.path(f"eastmoney/2026-06-20/{MONEY}.json"),
        "2026-07-18": found.path(f"eastmoney/2026-07-18/{MONEY}.first_page.json"),
        "2026-08-21": found.path(f"eastmoney/2026-08-21/{MONEY}.json"),
    }
    reports = {day: load(raw, catalog, "eastmoney", MONEY, file, day) for day, file in files.items()}
    counts = {day: (r.rows_added, r.rows_changed, r.rows_refined) for day, r in reports.items()}
    # M2 and M1 of March to May are refined; June and July are new months of four series.
    assert counts == {"2026-06-20": (884, 0, 0), "2026-07-18": (4, 0, 6), "2026-08-21": (4, 0, 0)}
    may = """
        select value, strftime(known_at, '%Y-%m-%d'), known_at_basis from raw.observation
        where series_id = 'cn_m2_cny_hundred_millions' and period = date '2026-05-01' order by known_at
    """
    assert rows(raw, may) == [(3536688.9, "2026-06-15", "assumed_lag"), (3536688.92, "2026-07-18", "refined")]


@pytest.mark.recorded
def test_the_workbook_in_single_precision_revises_28_months_and_not_its_whole_history(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, recordings: list[Path]
) -> None:
    """News: January and February 2025, then last; components: 26 months. The other 936 moved by rounding alone."""
    found, name = Recordings(recordings), "US_Policy_Uncertainty_Data.xlsx"
    for day in ("2025-03-06", "2025-11-15"):
        report = load(raw, catalog, "epu", name, found.path(f"uncertainty/{day}/{name}"), day)
    # Eight new months of both, and the 85 years before 1985 that the file has since.
    assert (report.rows_added, report.rows_changed, report.rows_refined) == (2 * 8 + 1020, 28, 0)
    revised = """
        select strftime(period, '%Y-%m') from raw.observation where series_id = 'epu_us_news_index'
        group by period having count(*) > 1 order by 1
    """
    assert rows(raw, revised) == [("2025-01",), ("2025-02",)]


CASE = "cases/known_at_11"


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("source", "key", "file", "series", "expected"),
    [
        (
            "bls",
            "timeseries/2020-2029/running/00000000",
            "bls.json",
            "bls_cpi_nsa_index",
            [
                ("2025-08", "2025-09-15"),
                ("2025-09", "2025-10-24"),
                ("2025-11", "2025-12-18"),
                ("2025-12", "2026-01-15"),
            ],
        ),
        (
            "fiscal_data",
            "mts_table_4/Customs Duties",
            "treasury.json",
            "tsy_customs_duties_usd",
            [("2025-09", "2025-10-16"), ("2025-10", "2025-11-25"), ("2025-11", "2025-12-20")],
        ),
    ],
)
def test_the_releases_of_autumn_2025_are_known_from_the_days_on_which_they_came_out(
    raw: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    recordings: list[Path],
    source: str,
    key: str,
    file: str,
    series: str,
    expected: list[tuple[str, str]],
) -> None:
    load(raw, catalog, source, key, recordings[0].parent / CASE / file, "2026-06-20")
    dated = f"""
        select strftime(period, '%Y-%m'), strftime(known_at, '%Y-%m-%d') from raw.observation
        where series_id = '{series}' order by period
    """
    assert rows(raw, dated) == expected


@pytest.mark.recorded
def test_positions_of_the_lapse_are_known_from_the_reports_that_came_weeks_late(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, recordings: list[Path]
) -> None:
    file = Recordings(recordings).path("cftc/disaggregated_085692_2006_2026-01.json")
    load(raw, catalog, "cftc", "disaggregated/085692", file, "2026-01-09")
    late = """
        select strftime(period, '%m-%d'), strftime(known_at, '%m-%d'), known_at_basis from raw.observation
        where series_id = 'cftc_copper_open_interest_contracts' and period between '2025-09-23' and '2025-12-30'
        order by period
    """
    found = rows(raw, late)
    assert found[:2] == [("09-23", "09-29", "assumed_lag"), ("09-30", "11-19", "reported")]
    assert ("11-10", "12-10", "reported") in found
    assert found[-2:] == [("12-23", "12-29", "reported"), ("12-30", "01-05", "assumed_lag")]
    assert len(found) == 15
    # Of the lapse before it, eleven reports came out between 1 February and 8 March 2019.
    found = rows(raw, late.replace("2025-09-23", "2018-12-18").replace("2025-12-30", "2019-03-12"))
    assert found[:3] == [
        ("12-18", "12-24", "assumed_lag"),
        ("12-24", "02-01", "reported"),
        ("12-31", "02-05", "reported"),
    ]
    assert found[-2:] == [("03-05", "03-08", "reported"), ("03-12", "03-18", "assumed_lag")]
    assert len(found) == 13
    assert rows(raw, late.replace("2025-09-23", "2023-01-31").replace("2025-12-30", "2023-01-31")) == [
        ("01-31", "02-24", "reported")
    ]


@pytest.mark.recorded
def test_what_an_edition_of_the_budget_says_of_past_years_is_known_from_the_edition(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, recordings: list[Path]
) -> None:
    """That of fiscal year 2027 restates the balance of 2020, which was -3,132,456 when it was first published."""
    file = Recordings(recordings).path("omb/hist01z1_fy2027.xlsx")
    load(raw, catalog, "omb", "hist01z1_fy2027", file, "2026-06-21")
    known = "select distinct strftime(known_at, '%Y-%m-%d'), known_at_basis from raw.observation"
    assert rows(raw, known) == [("2026-06-21", "observed")]


@pytest.mark.recorded
def test_no_series_that_is_called_stable_was_revised_between_its_recordings(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, recordings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of FRED, eastmoney and the Pink Sheet, in order, each compared with the one before."""
    monkeypatch.setattr(continuity, "older", lambda *_: None)  # some are windows
    folders = {
        "fred": ("fred", "fredgraph/"),
        "eastmoney": ("eastmoney", ""),
        "worldbank": ("worldbank_pink_sheet", ""),
    }
    compared: set[str] = set()
    found = [r for r in Recordings(recordings).every if r.known and r.file.partition("/")[0] in folders]
    for recording in sorted(found, key=lambda r: (str(r.known), r.file)):
        source, prefix = folders[recording.file.partition("/")[0]]
        key = prefix + recording.path.name.partition(".")[0]
        if source == "fred" and key.removeprefix(prefix) not in {s.select["id"] for s in catalog.series_of(source)}:
            continue  # read by a person, tracked by nobody
        if recording.path.suffix != ".html":
            load(raw, catalog, source, key, recording.path, str(recording.known))
    for series, answers, revised in rows(
        raw, "select series_id, count(*), sum(rows_changed) from raw.coverage where rows > 0 group by series_id"
    ):
        if catalog.series[series].history is History.STABLE and answers > 1:
            compared.add(catalog.series[series].source)
            assert revised == 0, series
    assert compared == {"fred", "eastmoney", "worldbank_pink_sheet"}


def test_the_first_positive_month_of_producer_prices_is_not_known_before_its_time(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path
) -> None:
    file = payloads / "eastmoney" / "2026-08-21" / "RPT_ECONOMY_PPI.json"
    load(raw, catalog, "eastmoney", "RPT_ECONOMY_PPI", file, "2026-08-21")
    positive = """
        select strftime(min(period), '%Y-%m'), strftime(min(known_at), '%Y-%m-%d') from raw.observation
        where series_id = 'cn_ppi_yoy_pct' and value > 0 and period > date '2022-12-01'
    """
    assert rows(raw, positive) == [("2026-03", "2026-04-15")]


def test_a_later_vintage_of_consumer_prices_is_invisible_before_its_retrieval(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path
) -> None:
    for vintage in ("2026-01-04", "2026-04-12", "2026-08-16"):
        load(raw, catalog, "fred", "fredgraph/CPIAUCSL", payloads / "fred" / vintage / "CPIAUCSL.csv", vintage)
    by = "select count(*) from raw.observation where known_at < timestamp '{}'"
    assert rows(raw, by.format("2026-01-01")) == [(0,)]
    assert rows(raw, by.format("2026-01-05"))[0][0] > 600
    assert rows(raw, "select distinct known_at_basis from raw.observation") == [("observed",)]


def test_a_window_of_real_yields_does_not_hide_the_years_before_it(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, payloads: Path
) -> None:
    """The recording of June 2026 begins in 2024, the one of January 2023 ends in 2022; August 2026 fills the gap."""
    for vintage in ("2023-01-02", "2026-06-02", "2026-08-06"):
        load(raw, catalog, "fred", "fredgraph/DFII10", payloads / "fred" / vintage / "DFII10.csv", vintage)
    gap = """
        select known_at_basis, count(*) from raw.observation
        where period between date '2023-02-01' and date '2023-12-31' group by all
    """
    ((basis, days),) = rows(raw, gap)
    assert basis == "assumed_lag"
    assert 220 < days < 240
