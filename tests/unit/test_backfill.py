"""The bulk backfill on zips of a few made-up filers: what is kept, what is refused, and that a kill changes nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import synthetic_filers
from pipelines import warehouse
from pipelines.errors import MetalsError
from pipelines.ingest import sec_bulk
from pipelines.settings import Settings

FACT: dict[str, Any] = {
    "start": "2024-01-01",
    "end": "2024-12-31",
    "val": 7500,
    "accn": "0000000042-25-000001",
    "fy": 2024,
    "fp": "FY",
    "form": "10-K",
    "filed": "2025-02-05",
}
NOW = datetime.fromisoformat("2026-11-20T12:00:00")
CAPEX = synthetic_filers.CAPEX


def body(cik: int, *facts: dict[str, Any], tag: str = CAPEX) -> bytes:
    document = {"cik": cik, "entityName": f"ACME {cik}", "facts": {"us-gaap": {tag: {"units": {"USD": list(facts)}}}}}
    return json.dumps(document).encode()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(warehouse_dir=tmp_path / "warehouse", now=NOW, offline=True)


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Writes a zip of members by name."""

    def write(name: str = "companyfacts.zip", **members: bytes) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, body in members.items():
                archive.writestr(member, body)
        return path

    return write


def _rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.build_path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_capital_expenditure_reaches_the_build_and_every_fact_the_parquet(
    settings: Settings, zipped: Callable[..., Path]
) -> None:
    path = zipped(
        **{
            "CIK0000000042.json": body(42, FACT),
            "CIK0000000043.json": body(43, FACT | {"val": 1, "accn": "0000000043-25-000001"}, tag="Assets"),
        }
    )
    done = sec_bulk.sec(settings, path)
    assert (done.filers, done.refused, done.facts, done.rejected, done.capex_facts) == (2, 0, 2, 0, 1)
    assert pl.read_parquet(done.folder / "facts" / "*.parquet").select("cik", "tag", "value").rows() == [
        (43, "Assets", 1.0),
        (42, CAPEX, 7500.0),
    ]
    assert _rows(settings, "select cik, tag, value, filed, known_at, known_at_basis from raw.bulk_filing_fact") == [
        (42, CAPEX, 7500.0, date(2025, 2, 5), datetime.fromisoformat("2025-02-05"), "reported")
    ]
    assert _rows(settings, "select cik, name, sic, sic_missing_reason from raw.bulk_filer order by cik") == [
        (42, "ACME 42", None, sec_bulk.NO_SUBMISSIONS),
        (43, "ACME 43", None, sec_bulk.NO_SUBMISSIONS),
    ]
    assert _rows(
        settings,
        "select p.request_key, p.origin from raw.payload as p inner join raw.bulk_filing_fact as f using (payload_id)",
    ) == [("companyfacts.zip", "backfilled")]


def test_what_cannot_be_read_is_counted_and_named_and_the_others_go_on(
    settings: Settings, zipped: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sec_bulk, "MAX_MEMBER_BYTES", 2000)
    path = zipped(
        **{
            "CIK0000000041.json": b"<html>",
            "CIK0000000042.json": body(42, FACT, FACT | {"end": "2025-02-30"}, FACT | {"accn": "no accession number"}),
            "CIK0000000043.json": body(44, FACT),
            "CIK0000000045.json": body(45, *[FACT] * 20),
            "../CIK0000000046.json": body(46, FACT),
            "/etc/CIK0000000047.json": body(47, FACT),
            "readme.txt": b"x",
        }
    )
    done = sec_bulk.sec(settings, path)
    assert (done.filers, done.refused, done.facts, done.rejected) == (4, 3, 1, 2)
    refused = dict(_rows(settings, "select cik, refused from raw.bulk_filer where refused is not null"))
    assert "a page in place of JSON" in refused[41]
    assert "asked for CIK 43, answered for CIK 44" in refused[43]
    assert "larger than 2,000 bytes" in refused[45]
    reasons = pl.read_parquet(done.folder / "rejects" / "*.parquet")
    assert reasons["series_id"].to_list() == ["CIK42", "CIK42"]
    assert "'end' is not a date: 2025-02-30" in reasons["reason"].to_list()
    written = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    assert {n for n in written if "CIK" in n or n == "readme.txt"} == set()


def test_a_member_that_hides_its_size_is_not_read_past_the_limit(
    settings: Settings, zipped: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sec_bulk, "MAX_MEMBER_BYTES", 50)
    member = body(42, FACT)
    path = zipped(**{"CIK0000000042.json": member})
    raw = path.read_bytes()
    # The size stands in the central directory, four bytes: claim 10.
    path.write_bytes(raw.replace(len(member).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    done = sec_bulk.sec(settings, path)
    assert (done.refused, done.facts) == (1, 0)


def test_killed_half_way_and_begun_again_it_ends_with_the_same_rows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sec_bulk, "PART_BYTES", 200_000)
    path = tmp_path / "synthetic.zip"
    synthetic_filers.write_zip(path, 1.0, tags=5, years=10)
    at_once = sec_bulk.sec(settings, path)
    parts = sorted(p.name for p in (at_once.folder / "filers").iterdir())
    assert len(parts) >= 4
    expected = {kind: pl.read_parquet(at_once.folder / kind / "*.parquet") for kind in ("facts", "rejects", "filers")}

    other = settings.model_copy(update={"warehouse_dir": tmp_path / "other"})
    write, written = sec_bulk._write, 0

    def killed(frame: pl.DataFrame, to: Path) -> None:
        nonlocal written
        written += 1
        if written == 8:  # in the third part: its facts are written, its list of filers is not
            to.with_suffix(".part").write_bytes(b"half a file")
            raise KeyboardInterrupt
        write(frame, to)

    monkeypatch.setattr(sec_bulk, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        sec_bulk.sec(other, path)
    monkeypatch.setattr(sec_bulk, "_write", write)
    later = other.model_copy(update={"now": NOW + timedelta(days=1)})
    resumed = sec_bulk.sec(later, path)
    assert 0 < resumed.megabytes_read < at_once.megabytes_read
    for kind, frame in expected.items():
        assert_frame_equal(pl.read_parquet(resumed.folder / kind / "*.parquet"), frame)
    columns = "cik, tag, period_end, value, accession, known_at, payload_id"
    query = f"select {columns} from raw.bulk_filing_fact order by all"
    assert _rows(later, query) == _rows(settings, query)
    assert _rows(later, "select distinct retrieved_at from raw.bulk_filer") == [(NOW,)]


def test_industries_come_from_the_submissions_and_a_new_zip_replaces_the_old(
    settings: Settings, zipped: Callable[..., Path]
) -> None:
    first = zipped("first.zip", **{"CIK0000000042.json": body(42, FACT)})
    second = zipped(
        "second.zip", **{"CIK0000000042.json": body(42, FACT | {"val": 9}), "CIK0000000043.json": body(43, FACT)}
    )
    header = json.dumps({"cik": "42", "name": "ACME", "sic": "3674", "sicDescription": "Semiconductors"}).encode()
    submissions = zipped("submissions.zip", **{"CIK0000000042.json": header})
    old = sec_bulk.sec(settings, first)
    new = sec_bulk.sec(settings, second, submissions)
    assert not old.folder.exists()
    assert _rows(settings, "select value from raw.bulk_filing_fact where cik = 42") == [(9.0,)]
    assert _rows(settings, "select cik, sic, sic_description, sic_missing_reason from raw.bulk_filer order by cik") == [
        (42, "3674", "Semiconductors", None),
        (43, None, None, "submissions.zip does not hold the filer"),
    ]
    assert _rows(settings, "select count(distinct payload_id) from raw.payload") == [(1,)]
    assert new.capex_facts == 2


def test_a_build_made_anew_gets_the_backfill_again(settings: Settings, zipped: Callable[..., Path]) -> None:
    sec_bulk.sec(settings, zipped(**{"CIK0000000042.json": body(42, FACT)}))
    settings.build_path.unlink()
    with warehouse.writer(settings) as connection:
        sec_bulk.reload(connection, settings)
        assert connection.execute("select count(*) from raw.bulk_filing_fact").fetchall() == [(1,)]


def test_a_file_that_is_no_such_zip_is_said_so(settings: Settings, zipped: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(MetalsError, match="cannot be read"):
        sec_bulk.sec(settings, tmp_path / "none.zip")
    (tmp_path / "page.zip").write_bytes(b"<html>")
    with pytest.raises(MetalsError, match="no readable zip"):
        sec_bulk.sec(settings, tmp_path / "page.zip")
    with pytest.raises(MetalsError, match="holds no file named"):
        sec_bulk.sec(settings, zipped(**{"a.txt": b"a"}))
