"""The list of tariff releases on bodies in the documented shape (not recorded), and what is no such list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines import ingest, warehouse
from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import TARIFF_RELEASE, usitc_hts

LINE: dict[str, Any] = {
    "id": {"timestamp": 1762794053, "date": 1762794053000},
    "name": "2025HTSRev28",
    "description": "2025 HTS Revision 28",
    "date": "11/10/2025",
    "time": "12:00:53",
    "title": "Revision 28 (2025)",
    "creator": "nobody",
    "status": "current",
    "target": "11/10/2025",
    "releaseStartDate": "11/10/2025",
    "releaseEndDate": None,
    "mergedRevisions": None,
}
EARLIER = LINE | {
    "name": "2025HTSRev27",
    "title": "Revision 27 (2025)",
    "status": "archive",
    "releaseStartDate": "11/07/2025",
    "releaseEndDate": "11/09/2025",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.scratch() as connection:
        yield connection


def body(*lines: Any) -> bytes:
    return json.dumps(list(lines)).encode()


def put(raw: duckdb.DuckDBPyConnection, catalog: Catalog, at: str, *lines: Any) -> ingest.Report:
    report = ingest.Report()
    payload = ingest.Payload(f"payload of {at}", usitc_hts.KEY, datetime.fromisoformat(at), body(*lines))
    ingest.load_payload(raw, payload, catalog.sources["usitc_hts"], usitc_hts, catalog, report)
    return report


def test_the_list_is_one_request(catalog: Catalog) -> None:
    [request] = usitc_hts.plan(catalog, date(2026, 11, 24))
    assert (request.key, request.url) == ("releases", "https://hts.usitc.gov/reststop/releaseList")
    assert not request.closed


def test_name_title_status_and_first_day_of_each_release(catalog: Catalog) -> None:
    parsed = usitc_hts.parse(body(LINE, EARLIER), "releases", catalog)
    assert dict(parsed.tariff_releases.schema) == TARIFF_RELEASE
    assert parsed.tariff_releases.drop("row").rows() == [
        ("2025HTSRev28", "Revision 28 (2025)", "current", date(2025, 11, 10)),
        ("2025HTSRev27", "Revision 27 (2025)", "archive", date(2025, 11, 7)),  # month first: 7 November, not 11 July
    ]
    assert parsed.rejects.is_empty()
    assert parsed.observations.is_empty()


@pytest.mark.parametrize("empty", [None, "", " "])
def test_a_release_without_a_first_day_or_a_title_is_kept_without_them(catalog: Catalog, empty: str | None) -> None:
    parsed = usitc_hts.parse(body(LINE, EARLIER | {"releaseStartDate": empty, "title": empty}), "releases", catalog)
    assert parsed.tariff_releases.drop("row").rows()[1] == ("2025HTSRev27", None, "archive", None)
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"releaseStartDate": "2025-11-10"}, "'releaseStartDate' is not printed as month/day/year: 2025-11-10"),
        ({"releaseStartDate": "13/10/2025"}, "'releaseStartDate' is not printed as month/day/year: 13/10/2025"),
        ({"releaseStartDate": 1762794053000}, "'releaseStartDate' is not printed as month/day/year: 1762794053000"),
        ({"name": None}, "'name' is missing"),
        ({"name": " "}, "'name' is missing"),
        ({"status": None}, "'status' is missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_and_the_others_go_on(
    catalog: Catalog, change: dict[str, Any], reason: str
) -> None:
    parsed = usitc_hts.parse(body(LINE | change, EARLIER), "releases", catalog)
    assert parsed.tariff_releases["release_id"].to_list() == ["2025HTSRev27"]
    assert parsed.rejects.select("series_id", "reason").rows() == [("usitc_hts", reason)]


def test_a_name_on_two_lines_is_rejected_with_both(catalog: Catalog) -> None:
    parsed = usitc_hts.parse(body(LINE, LINE | {"status": "archive"}, EARLIER), "releases", catalog)
    assert parsed.tariff_releases["release_id"].to_list() == ["2025HTSRev27"]
    assert parsed.rejects["reason"].to_list() == ["its name and first day are in the list more than once"] * 2


OLD = LINE | {"name": "basicCorrections2", "status": "archive", "title": "Corrections (2016)"}


def test_names_before_2018_repeat_and_carry_their_first_day(catalog: Catalog) -> None:
    """Names as reported, days made up."""
    lines = [OLD | {"releaseStartDate": f"07/0{day}/2016"} for day in (1, 2, 3)]
    parsed = usitc_hts.parse(body(LINE, *lines, lines[2], LINE | {"name": "NTE"}), "releases", catalog)
    assert parsed.tariff_releases["release_id"].to_list() == [
        "2025HTSRev28",
        *(f"basicCorrections2 of 2016-07-0{day}" for day in (1, 2, 3)),
        "NTE",
    ]
    assert parsed.rejects.is_empty(), "a line that is repeated whole counts once"


def test_a_repeated_name_without_a_day_is_rejected(catalog: Catalog) -> None:
    parsed = usitc_hts.parse(body(OLD, OLD | {"releaseStartDate": ""}), "releases", catalog)
    assert parsed.tariff_releases["release_id"].to_list() == ["basicCorrections2 of 2025-11-10"]
    assert parsed.rejects["row"].to_list() == ["line 2 (basicCorrections2)"]


def test_repeated_names_do_not_refuse_the_list(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    many = [LINE | {"name": f"r{n}"} for n in range(166)]
    twice = [OLD, OLD | {"title": "another"}, OLD | {"name": "NTE"}, OLD | {"name": "NTE", "title": "another"}]
    assert put(raw, catalog, "2026-01-02", *many, *twice).rows_added == 166


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"<!DOCTYPE html><html><body>Maintenance</body></html>", "not JSON"),
        (b'[{"name": "2025HTSRev28"', "not JSON"),
        (b"[]", "not a list of releases"),
        (b'{"error": "busy"}', "not a list of releases"),
        (b'["2025HTSRev28"]', "not a list of releases"),
        (body({k: v for k, v in LINE.items() if k != "releaseStartDate"}), "no line has releaseStartDate"),
        (body({k: v for k, v in LINE.items() if k not in ("name", "status")}), "no line has name, status"),
    ],
)
def test_an_answer_that_is_no_list_of_releases_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        usitc_hts.parse(broken, "releases", catalog)


def known(raw: duckdb.DuckDBPyConnection) -> list[Any]:
    return raw.execute(
        "select release_id, status, strftime(known_at, '%Y-%m-%d'), known_at_basis from raw.tariff_release "
        "order by known_at, release_id"
    ).fetchall()


def test_a_release_is_known_from_when_the_list_first_held_it_and_a_changed_line_is_a_later_row(
    raw: duckdb.DuckDBPyConnection, catalog: Catalog
) -> None:
    assert put(raw, catalog, "2025-11-08", EARLIER | {"status": "current"}).rows_added == 1
    assert put(raw, catalog, "2025-11-09", EARLIER | {"status": "current"}).rows_added == 0
    report = put(raw, catalog, "2025-11-12", LINE, EARLIER)
    assert (report.rows_added, report.rows_changed) == (1, 1)
    assert known(raw) == [
        ("2025HTSRev27", "current", "2025-11-08", "observed"),
        ("2025HTSRev27", "archive", "2025-11-12", "observed"),
        ("2025HTSRev28", "current", "2025-11-12", "observed"),
    ]
    assert raw.execute(
        "select series_id, rows, rows_added, rows_changed, first_period, last_period from raw.coverage "
        "order by retrieved_at desc limit 1"
    ).fetchall() == [("usitc_hts", 2, 1, 1, date(2025, 11, 7), date(2025, 11, 10))]


def test_one_bad_line_in_a_hundred_is_counted_in_coverage(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    many = [EARLIER | {"name": f"2024HTSRev{n}"} for n in range(100)]
    assert put(raw, catalog, "2025-11-12", LINE | {"releaseStartDate": "soon"}, *many).rows_quarantined == 1
    assert raw.execute("select series_id, rows, quarantined from raw.coverage").fetchall() == [("usitc_hts", 100, 1)]


def test_a_payload_without_releases_writes_none(raw: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    with pytest.raises(BadPayload):
        put(raw, catalog, "2025-11-12")
    assert pl.DataFrame(known(raw)).is_empty()
