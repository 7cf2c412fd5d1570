"""Filings of the SEC's index in the raw tables: new, unchanged, changed; the time of acceptance does not count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines import ingest, warehouse
from pipelines.catalog import Catalog, Source, load
from pipelines.errors import ContractBreach
from pipelines.settings import Settings
from pipelines.sources import FILING, Parsed, Request

LINE: dict[str, Any] = {
    "cik": 789019,
    "accession": "0000000042-26-000001",
    "form": "10-Q",
    "filing_date": date(2026, 4, 24),
    "report_date": date(2026, 3, 31),
    "acceptance_datetime": "2026-04-24T20:01:15.000Z",
    "primary_document": "q.htm",
    "row": "filing 0",
}


class Module:
    def __init__(self, *lines: dict[str, Any]) -> None:
        self.lines = list(lines)

    def plan(self, catalog: Catalog, today: date) -> list[Request]:
        return []

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        return Parsed(filings=pl.DataFrame(self.lines, schema=FILING))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = warehouse.scratch()
    yield connection
    connection.close()


def put(raw: duckdb.DuckDBPyConnection, catalog: Catalog, day: str, *lines: dict[str, Any]) -> ingest.Report:
    report = ingest.Report()
    source: Source = catalog.sources["sec_edgar"]
    payload = ingest.Payload(f"payload of {day}", "submissions/CIK0000789019", datetime.fromisoformat(day), b"")
    ingest.load_payload(raw, payload, source, Module(*lines), catalog, report)
    return report


def known(raw: duckdb.DuckDBPyConnection) -> list[Any]:
    return raw.execute(
        """
        select accession, report_date, strftime(known_at, '%Y-%m-%d'), known_at_basis
        from raw.filing
        order by known_at
        """
    ).fetchall()


def test_a_filing_is_known_from_its_day_and_written_once(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    assert put(raw, catalog, "2026-05-01", LINE).rows_added == 1
    assert put(raw, catalog, "2026-05-02", LINE).rows_added == 0
    assert known(raw) == [(LINE["accession"], date(2026, 3, 31), "2026-04-24", "reported")]
    assert raw.execute("select series_id, rows, rows_added from raw.coverage order by retrieved_at").fetchall() == [
        ("MSFT", 1, 1),
        ("MSFT", 1, 0),
    ]


def test_another_time_of_acceptance_is_no_change(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    put(raw, catalog, "2026-05-01", LINE)
    report = put(raw, catalog, "2026-05-02", LINE | {"acceptance_datetime": "2026-04-24T16:01:15.000Z"})
    assert (report.rows_added, report.rows_changed) == (0, 0)


def test_a_changed_line_is_a_later_row(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    put(raw, catalog, "2026-05-01", LINE | {"report_date": None})
    assert put(raw, catalog, "2026-05-02", LINE).rows_changed == 1
    assert put(raw, catalog, "2026-05-03", LINE).rows_changed == 0
    assert known(raw) == [
        (LINE["accession"], None, "2026-04-24", "reported"),
        (LINE["accession"], date(2026, 3, 31), "2026-05-02", "observed"),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accession": "42-26-1"}, "accession: str_matches"),
        ({"filing_date": date(2026, 6, 1)}, "is filed later than it was fetched"),
    ],
)
def test_a_line_that_breaks_the_contract_is_quarantined(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ContractBreach):
        put(raw, catalog, "2026-05-01", LINE | change)
    ((series, found),) = raw.execute("select series_id, reason from raw.quarantine").fetchall()
    assert series == "MSFT"
    assert reason in found
    assert known(raw) == []


def test_coverage_counts_the_lines_that_went_to_quarantine(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    good = [LINE | {"accession": f"0000000042-26-{n:06}"} for n in range(100, 160)]
    report = put(raw, catalog, "2026-05-01", LINE | {"accession": "42-26-1"}, *good)
    assert (report.rows_added, report.rows_quarantined) == (60, 1)
    assert raw.execute("select series_id, rows, quarantined from raw.coverage").fetchall() == [("MSFT", 60, 1)]
