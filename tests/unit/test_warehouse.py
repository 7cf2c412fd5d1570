"""The build file, the swap and the published file."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines import catalog as catalogs
from pipelines import warehouse
from pipelines.errors import WarehouseBusy
from pipelines.settings import PROJECT_ROOT, Settings

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(warehouse_dir=tmp_path / "ware house's", now=NOW, lock_wait_s=0.2)


def observation(day: str, value: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "series_id": ["copper"],
            "period": [date(2025, 1, 1)],
            "value": [value],
            "decimals": pl.Series([1], dtype=pl.Int16),
            "known_at": [datetime.fromisoformat(day)],
            "known_at_basis": ["observed"],
            "payload_id": [f"payload of {day}"],
        }
    )


def build(settings: Settings, value: float = 1.0) -> None:
    with warehouse.writer(settings) as connection:
        connection.execute("delete from raw.observation")
        warehouse.append(connection, "observation", observation("2026-01-05", value))


def values(connection: duckdb.DuckDBPyConnection) -> list[float]:
    return [row[0] for row in connection.execute("select value from raw.observation order by known_at").fetchall()]


def published(settings: Settings) -> list[float]:
    with warehouse.reader(settings) as connection:
        return values(connection)


def in_another_process(code: str) -> subprocess.Popen[str]:
    """Python that runs `code` and has printed its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_new_file_has_every_table_and_every_one_and_every_column_has_its_comment(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    warehouse.create(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = dict(connection.execute("select table_name, comment from duckdb_tables()").fetchall())
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() where schema_name = 'raw'"
        ).fetchall()
    assert tables == {t.name: t.description for t in warehouse.TABLES}
    assert {(t, c): comment for t, c, comment in columns} == {
        (t.name, c.name): c.description for t in warehouse.TABLES for c in t.columns
    }
    assert all(comment for _, _, comment in columns)
    assert not list(tmp_path.glob(".*"))


def test_a_build_of_an_earlier_version_gains_the_columns_and_tables_that_are_new(settings: Settings) -> None:
    build(settings)
    with duckdb.connect(str(settings.build_path)) as connection:
        connection.execute("alter table raw.coverage drop column rows_refined; drop table raw.known_at_change")
    with warehouse.writer(settings) as connection:
        assert connection.execute("select rows_refined from raw.coverage").fetchall() == []
        assert connection.execute("from raw.known_at_change").fetchall() == []
        assert values(connection) == [1.0]


def test_a_new_file_is_in_the_storage_format_that_older_clients_read(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    warehouse.create(path)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as made (read_only)")
        (tags,) = connection.execute("select tags from duckdb_databases() where database_name = 'made'").fetchall()[0]
    assert tags["storage_version"].startswith("v1.2.0")
    # Bytes 12 to 19 of a DuckDB file are its storage version number: 64 is read by every release since 0.10.
    assert int.from_bytes(path.read_bytes()[12:20], "little") <= 65


def test_a_kill_while_a_file_is_made_leaves_no_file_without_tables(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: duckdb.DuckDBPyConnection) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.warehouse.build.define_tables", fail)
        with pytest.raises(KeyboardInterrupt):
            warehouse.create(settings.build_path)
    assert not settings.build_path.exists()
    build(settings)


def test_a_reader_keeps_its_state_while_publish_replaces_the_file(settings: Settings) -> None:
    build(settings, 1.0)
    warehouse.publish(settings)
    with warehouse.reader(settings) as held:
        assert values(held) == [1.0]
        build(settings, 2.0)
        warehouse.publish(settings)
        assert values(held) == [1.0]
        # A second reader of this process would be handed the open file; another process sees the new one.
        code = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).sql(sys.argv[2]).fetchall())"
        seen = subprocess.run(
            [sys.executable, "-c", code, str(settings.published_path), "select value from raw.observation"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert seen.stdout == "[(2.0,)]\n"
    assert published(settings) == [2.0]


@pytest.mark.parametrize("step", ["_prune", "os.fsync", "shutil.copyfile"])
def test_a_failure_inside_publish_leaves_the_published_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    build(settings, 1.0)
    warehouse.publish(settings)
    before = settings.published_path.read_bytes()
    build(settings, 2.0)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(f"pipelines.warehouse.publication.{step}", fail)
        with pytest.raises(OSError, match="no space left"):
            warehouse.publish(settings)
    assert settings.published_path.read_bytes() == before
    warehouse.publish(settings)
    assert published(settings) == [2.0]
    assert [p.name for p in settings.published_path.parent.iterdir() if p.is_file()] == ["metals.duckdb"]


def test_what_a_killed_writer_had_committed_is_published(settings: Settings) -> None:
    build(settings, 1.0)
    process = in_another_process(
        f"""
        import os, duckdb
        connection = duckdb.connect({str(settings.build_path)!r})
        connection.table("raw.observation").update({{"value": 3.0}})
        print("ready", flush=True)
        os.kill(os.getpid(), 9)
        """
    )
    process.wait(timeout=30)
    assert settings.build_path.with_name("build.duckdb.wal").exists()
    warehouse.publish(settings)
    assert published(settings) == [3.0]


DATED = (
    *("observation", "retrieval", "quarantine", "known_at_change", "catalog_release", "catalog_correction"),
    *("claim_history", "claim_evidence_history", "ppi_nowcast_history"),
)


def test_what_was_learnt_after_the_as_of_day_is_left_out_and_views_read_the_new_file(tmp_path: Path) -> None:
    settings = Settings(warehouse_dir=tmp_path, now=NOW, as_of=date(2025, 12, 31))
    with warehouse.writer(settings) as connection:
        for day in ("2025-12-31T23:59:59", "2026-01-01", "2026-01-04"):
            warehouse.append(connection, "observation", observation(day))
            connection.execute(
                "insert into raw.retrieval values ('s', 'k', ?, 'fresh', ?, null, 1)", [day, f"payload of {day}"]
            )
            connection.execute("insert into raw.quarantine values ('s', 'p', 'x', 'r', 'bad', ?)", [day])
            connection.execute("insert into raw.known_at_change (series_id, changed_at) values ('s', ?)", [day])
            connection.execute("insert into raw.catalog_release (series_id, released_on) values ('s', ?)", [day[:10]])
            connection.execute("insert into raw.catalog_correction (series_id, known_on) values ('s', ?)", [day[:10]])
            connection.execute("insert into raw.claim_history (claim_id, as_of) values ('C1', ?)", [day[:10]])
            connection.execute("insert into raw.claim_evidence_history (claim_id, as_of) values ('C1', ?)", [day[:10]])
            connection.execute("insert into raw.ppi_nowcast_history (as_of) values (?)", [day[:10]])
            connection.execute(
                "insert into raw.coverage (payload_id, retrieved_at, rows) values (?, ?, 1)", [f"payload of {day}", day]
            )
            connection.execute(
                "insert into raw.payload (payload_id, retrieved_at) values (?, ?)", [f"payload of {day}", day]
            )
        connection.execute(
            "insert into raw.coverage (payload_id, retrieved_at) values ('changed nothing', '2025-12-01')"
        )
        connection.execute(
            "insert into raw.payload (payload_id, retrieved_at) values ('changed nothing', '2025-12-01')"
        )
        connection.execute("create view raw.latest as select * from build.raw.observation")
        connection.execute("create schema staging")
        connection.execute('create view staging.on_a_view as select * from "build"."raw"."latest"')
        connection.execute("comment on view staging.on_a_view is 'a view'")
    warehouse.publish(settings)
    assert settings.published_path == tmp_path / "as_of" / "metals_2025-12-31.duckdb"
    with warehouse.reader(settings) as connection:
        kept = {
            table: connection.execute(f"select count(*) from raw.{table}").fetchall()[0][0]
            for table in ("coverage", "payload", *DATED)
        }
        on_a_view = connection.execute("select count(*) from staging.on_a_view").fetchall()
        comments = connection.execute("select comment from duckdb_views() where view_name = 'on_a_view'").fetchall()
    assert kept == {"coverage": 2, "payload": 2} | dict.fromkeys(DATED, 1)
    assert on_a_view == [(1,)]
    assert comments == [("a view",)]
    with duckdb.connect(str(settings.build_path), read_only=True) as connection:
        assert len(values(connection)) == 3  # the build keeps everything


def test_everything_known_today_is_published(settings: Settings) -> None:
    with warehouse.writer(settings) as connection:
        warehouse.append(connection, "observation", observation("2026-06-10T23:59:59"))
        warehouse.append(connection, "observation", observation("2026-06-11"))
    warehouse.publish(settings)
    with warehouse.reader(settings) as connection:
        assert len(values(connection)) == 1


def damaged(content: bytes, how: str) -> bytes:
    if how == "broken checksum":
        return content[:4096] + b"\xff" * 100 + content[4196:8192] + b"\xff" * 100 + content[8292:]
    return {"cut": content[:5000], "empty": b"", "not a database": b"<html>" * 1000}[how]


@pytest.mark.parametrize("how", ["cut", "empty", "not a database", "broken checksum"])
def test_a_build_file_that_cannot_be_opened_is_set_aside_and_said(
    settings: Settings, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    build(settings)
    content = damaged(settings.build_path.read_bytes(), how)
    settings.build_path.write_bytes(content)
    with warehouse.writer(settings) as connection:
        assert values(connection) == []
    aside = settings.build_path.with_name("build.unreadable-20260610T120000.duckdb")
    assert aside.read_bytes() == content
    assert f"set aside as {aside.name}, rebuilt from landing" in caplog.text


def test_a_build_that_another_program_has_open_is_busy_and_not_set_aside(settings: Settings) -> None:
    build(settings)
    process = in_another_process(
        f"""
        import duckdb, time
        connection = duckdb.connect({str(settings.build_path)!r})
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    try:
        with pytest.raises(WarehouseBusy, match="another program holds"), warehouse.writer(settings):
            pass
    finally:
        process.kill()
        process.wait()
    assert not list(settings.build_path.parent.glob("*unreadable*"))
    with warehouse.writer(settings) as connection:
        assert values(connection) == [1.0]


def hold_the_lock(settings: Settings, seconds: float) -> subprocess.Popen[str]:
    return in_another_process(
        f"""
        import time
        from pipelines import warehouse
        from pipelines.settings import Settings
        from pathlib import Path
        with warehouse.exclusive(Settings(warehouse_dir=Path({str(settings.warehouse_dir)!r}))):
            print("ready", flush=True)
            time.sleep({seconds})
        """
    )


def test_a_writer_waits_for_another_process_and_then_gives_up_saying_what_to_do(settings: Settings) -> None:
    build(settings)
    process = hold_the_lock(settings, 60)
    try:
        with pytest.raises(WarehouseBusy, match=r"another run has held .*build\.lock.*Kept: the published file"):
            build(settings)
        with pytest.raises(WarehouseBusy):
            warehouse.publish(settings)
    finally:
        process.kill()
        process.wait()
    build(settings, 2.0)  # the lock of a killed process does not outlive it


def test_a_writer_that_waits_long_enough_goes_on(settings: Settings) -> None:
    patient = settings.model_copy(update={"lock_wait_s": 30.0})
    process = hold_the_lock(settings, 0.5)
    build(patient)
    process.wait(timeout=10)


def test_one_process_may_take_the_lock_again_inside_itself(settings: Settings) -> None:
    with warehouse.exclusive(settings):
        build(settings)
        warehouse.publish(settings)
    assert published(settings) == [1.0]


def test_the_published_file_can_be_read_by_everyone_and_opened_read_only(settings: Settings) -> None:
    build(settings)
    warehouse.publish(settings)
    assert settings.published_path.stat().st_mode & 0o777 == 0o644
    with warehouse.reader(settings) as connection, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("delete from raw.observation")


def test_no_progress_bar_is_drawn_in_a_process_without_a_script(settings: Settings) -> None:
    build(settings)
    warehouse.publish(settings)
    code = f"""
        import duckdb
        from pipelines import warehouse
        from pipelines.settings import Settings
        shown = "select current_setting('enable_progress_bar')"
        with warehouse.reader(Settings(warehouse_dir={str(settings.warehouse_dir)!r})) as connection:
            print(duckdb.execute(shown).fetchone(), connection.execute(shown).fetchone())
    """
    seen = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert seen.stdout == "(True,) (False,)\n", "DuckDB's own default there, and ours"


def test_the_catalogue_is_written_whole_and_replaces_what_was_there(settings: Settings) -> None:
    loaded = catalogs.load(settings.catalog_dir)
    with warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, loaded)
        warehouse.write_catalog(connection, loaded)
        counts = [
            connection.execute(f"select count(*) from raw.catalog_{name}").fetchall()[0][0]
            for name in ("source", "series", "company", "metal")
        ]
        tags = connection.execute(
            """
            select tag, tag_rank from raw.catalog_company_tag
            where company_id = 'GOOGL' and concept = 'revenue' and cik = 1652044 order by tag_rank
            """
        ).fetchall()
    assert counts == [len(loaded.sources), len(loaded.series), len(loaded.companies), len(loaded.metals)]
    assert tags == [("Revenues", 1), ("RevenueFromContractWithCustomerExcludingAssessedTax", 2)]


def test_a_query_takes_positional_and_named_parameters_and_gives_a_frame() -> None:
    with warehouse.scratch() as connection:
        assert warehouse.query(connection, "select ? as a", [1]).to_dicts() == [{"a": 1}]
        assert warehouse.query(connection, "select $a as a", {"a": "x"}).to_dicts() == [{"a": "x"}]
        assert warehouse.rows(connection, "select $a as a, null as b", {"a": "x"}) == [{"a": "x", "b": None}]
        assert warehouse.rows(connection, "select 1 as a where false") == []
        assert warehouse.query(connection, "select series_id from raw.observation").columns == ["series_id"]
