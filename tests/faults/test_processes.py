"""Faults of processes and the machine: kills, full and read-only disks, a second run, a wrong clock, damaged files."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRunStatus, Failure, asset, build_init_resource_context, materialize
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG
from dagster._core.test_utils import create_run_for_test
from typer.testing import CliRunner

from pipelines import catalog as catalogs
from pipelines import cli, ingest, sources, warehouse
from pipelines.audit import gate
from pipelines.errors import AuditFailed, WarehouseBusy
from pipelines.landing import Landing, Retrieval, land
from pipelines.orchestration import retention
from pipelines.orchestration.resources import MetalsRun
from pipelines.reporting import export
from pipelines.settings import Settings
from tests.endurance import verdicts
from tests.faults.publish_killed import POINTS
from tests.replay import Replay

REPOSITORY = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
SOURCE = "fred"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(warehouse_dir=tmp_path / "warehouse", now=NOW, lock_wait_s=0.2)


def built(settings: Settings, value: int = 1) -> None:
    """A build that passes the audit: one table of `value`, and the record of a complete build."""
    with warehouse.writer(settings) as connection:
        connection.execute(f"create or replace table main.answers as select 'A' as name, {value} as answer")
        connection.execute(
            "insert into raw.build values (uuid()::varchar, ?, ?, ?, true, '')",
            [settings.as_of_date(), settings.clock(), settings.clock()],
        )


def answer(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        return int(connection.execute("select answer from main.answers").fetchall()[0][0])


def running(code: str, **environment: str) -> subprocess.Popen[str]:
    """Python that runs `code` and has printed `ready`."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def metals(home: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str) -> Any:
    (home / "dagster").mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "dagster_home" / "dagster.yaml", home / "dagster")
    return subprocess.run(
        [*before, sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "METALS_WAREHOUSE_DIR": str(home / "warehouse"),
            "DAGSTER_HOME": str(home / "dagster"),
            "METALS_NOW": NOW.isoformat(),
            "COLUMNS": "200",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def own_mounts() -> tuple[str, ...]:
    """The words before a command that give it mounts of its own."""
    words = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    return words


# Killed while publishing


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_while_publishing_leaves_one_whole_file_and_the_next_publication_clears_up(
    settings: Settings, point: str
) -> None:
    built(settings, 1)
    gate.publish(settings)
    built(settings, 2)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.publish_killed", str(settings.warehouse_dir), point],
        cwd=REPOSITORY,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert verdicts.incomplete(settings.published_path) == []
    assert answer(settings.published_path) == (2 if point == "after the rename" else 1)
    gate.publish(settings)
    assert verdicts.incomplete(settings.published_path) == []
    assert answer(settings.published_path) == 2
    assert sorted(p.name for p in settings.warehouse_dir.iterdir()) == ["build", "metals.duckdb"]


def test_a_write_ahead_log_beside_the_published_file_does_not_outlive_it(settings: Settings) -> None:
    """Someone opened the published file for writing and was killed; its log must not be read into the next file."""
    built(settings, 1)
    gate.publish(settings)
    writer = running(
        f"""
        import duckdb, time
        connection = duckdb.connect({str(settings.published_path)!r})
        connection.execute("update main.answers set answer = 41")
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    writer.kill()
    writer.communicate()
    log = settings.published_path.with_name("metals.duckdb.wal")
    assert log.stat().st_size > 0
    built(settings, 2)
    gate.publish(settings)
    assert not log.exists()
    assert answer(settings.published_path) == 2


# Someone else has the published file open for writing

HELD = {
    "open": "",
    "written to": "connection.execute('delete from main.filler')",
    "replaced since, and written to": "sys.stdin.readline(); connection.execute('delete from main.filler')",
}


def twenty_rows_published(settings: Settings) -> None:
    built(settings, 1)
    with warehouse.writer(settings) as connection:
        connection.execute("create or replace table main.filler as select i from range(20) as r(i)")
    gate.publish(settings)


def published_and_held(settings: Settings, how: str) -> subprocess.Popen[str]:
    """A published file of twenty rows, and a process that has it, or the one before it, open for writing."""
    twenty_rows_published(settings)
    holder = running(
        f"""
        import duckdb, sys, time
        connection = duckdb.connect({str(settings.published_path)!r})
        print("ready", flush=True)
        {HELD[how]}
        print("done", flush=True)
        time.sleep(60)
        """,
    )
    if how.startswith("replaced"):
        twenty_rows_published(settings)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()
    assert holder.stdout is not None
    assert holder.stdout.readline() == "done\n"
    return holder


@pytest.mark.parametrize("how", HELD)
def test_a_published_file_that_is_held_is_still_compared_with_and_can_be_read(
    settings: Settings, how: str, tmp_path: Path
) -> None:
    """A lock is no damage: taken for it, nothing was compared, and a collapsed or earlier build was published."""
    holder = published_and_held(settings, how)
    try:
        before = settings.published_path.read_bytes()
        earlier = settings.model_copy(update={"now": NOW - timedelta(days=30)})
        built(earlier, 2)
        with warehouse.writer(settings) as connection:
            connection.execute("delete from main.filler")
        with pytest.raises(AuditFailed) as refused:
            gate.publish(earlier)
        assert "tables lost most of their rows" in str(refused.value)
        assert "the published file is as of 2026-06-10" in str(refused.value)
        assert settings.published_path.read_bytes() == before
        asked = metals(tmp_path, "sql", "select count(*) as found from filler")
        assert asked.returncode == 0, asked.stderr
        assert "20" in asked.stdout
        assert "a copy is read" in asked.stderr
        status = metals(tmp_path, "status")
        assert status.returncode == 0, status.stderr
        assert "A later build failed or was blocked" in status.stdout
        built(settings, 3)
        with warehouse.writer(settings) as connection:
            connection.execute("insert into main.filler select i from range(20) as r(i)")
        gate.publish(settings)
        assert answer(settings.published_path) == 3
    finally:
        holder.kill()
        holder.communicate()


def test_a_published_file_that_cannot_be_read_is_compared_as_the_build_recorded_it(
    settings: Settings, tmp_path: Path
) -> None:
    twenty_rows_published(settings)
    damaged = b"<html>" * 1000
    settings.published_path.write_bytes(damaged)
    for command in (("sql", "select 1"), ("status",)):
        asked = metals(tmp_path, *command)
        assert asked.returncode == 1
        assert "metals.duckdb cannot be opened: " in asked.stderr
        assert "Traceback" not in asked.stderr
    with warehouse.writer(settings) as connection:
        connection.execute("delete from main.filler")
    with pytest.raises(AuditFailed, match="tables_have_not_collapsed: tables lost most of their rows"):
        gate.publish(settings)
    assert settings.published_path.read_bytes() == damaged
    settings.build_path.unlink()  # and with it the record
    built(settings, 2)
    with pytest.raises(AuditFailed, match=r"cannot compare: .* move \S+metals.duckdb away"):
        gate.publish(settings)
    settings.published_path.unlink()
    gate.publish(settings)
    assert answer(settings.published_path) == 2


# Disks


def test_a_disk_that_fills_up_stops_each_stage_and_loses_nothing(
    own_mounts: tuple[str, ...], shipped: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*own_mounts, sys.executable, "-m", "tests.faults.full_disk", str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, "METALS_TEST_UPSTREAM": str(shipped)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for stage in ("landing", "load", "models", "publish"):
        assert "No space left on device" in told[stage], stage
    assert told["left in landing"] == []
    assert told["landing, with room"] == "fresh"
    assert told["held after load"] == [[0], [0], [0]], "neither rows nor a record that they were loaded"
    [[observations], [payloads], [retrievals]] = told["held"]
    assert (payloads, retrievals) == (1, 2)  # the one that found no room, and the one that did
    assert observations == told["load, with room"] > 9000
    assert told["published file after models"] is True
    assert {"metals", "companies"} < set(told["models, with room"])
    assert set(told["models, with room"].values()) == {"success"}
    assert told["published file"] is True, "as it was"
    assert told["left beside it"] == []
    assert told["published, with room"] is True
    assert told["rows twice"] == []


def test_a_read_only_warehouse_folder_is_said_and_can_still_be_read(
    own_mounts: tuple[str, ...], settings: Settings, tmp_path: Path
) -> None:
    built(settings, 7)
    gate.publish(settings)
    read_only = (*own_mounts, "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"')
    folder = str(settings.warehouse_dir)
    run = metals(tmp_path, "run", "--offline", before=(*read_only, folder))
    assert run.returncode == 1
    assert "Read-only file system" in run.stderr
    assert "Traceback" not in run.stderr
    asked = metals(tmp_path, "sql", "select answer from answers", before=(*read_only, folder))
    assert asked.returncode == 0, asked.stderr
    assert "7" in asked.stdout


# Folders and links


def test_a_relative_folder_is_the_same_wherever_a_command_is_called(tmp_path: Path) -> None:
    """The command is called anywhere; the UI, its code server and its daemon run in the project's folder."""
    code = "from pipelines.settings import Settings; s = Settings(); print(s.published_path, s.catalog_dir)"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env={**os.environ, "METALS_WAREHOUSE_DIR": "a/house", "METALS_CATALOG_DIR": "~/catalog", "HOME": "/home/x"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for folder in (REPOSITORY, tmp_path)
    }
    assert said == {f"{REPOSITORY}/a/house/metals.duckdb /home/x/catalog\n"}


def test_a_link_in_place_of_a_file_that_is_replaced_stays_and_what_it_leads_to_is_replaced(
    settings: Settings, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    settings.warehouse_dir.mkdir()
    exported = tmp_path / "answers.csv"
    links = {
        settings.published_path: shared / "metals.db",
        exported: shared / "answers",
    }
    for link, target in links.items():
        link.symlink_to(target)
    for value in (1, 2):
        built(settings, value)
        held = (shared / "metals.db").open("rb") if value == 2 else None
        (shared / "metals.db.wal").write_bytes(b"left by someone")
        (tmp_path / "warehouse" / "metals.duckdb.wal").write_bytes(b"left by someone")
        gate.publish(settings)
        with warehouse.locked_reader(settings, warehouse.part_of(exported)) as connection:
            export.export(connection, "answers", exported)
        assert answer(shared / "metals.db") == answer(settings.published_path) == value
        assert (shared / "answers").read_text(encoding="utf-8") == f"name,answer\nA,{value}\n"
        assert all(link.is_symlink() for link in links)
        assert sorted(p.name for p in shared.iterdir()) == ["answers", "metals.db"]
        if held is not None:  # a reader keeps the file it opened
            with held:
                assert os.fstat(held.fileno()).st_nlink == 0


# Two runs at once


@pytest.fixture
def another_run(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = running(
        f"""
        import time
        from pathlib import Path
        from pipelines import warehouse
        from pipelines.settings import Settings
        with warehouse.exclusive(Settings(warehouse_dir=Path({str(settings.warehouse_dir)!r}))):
            print("ready", flush=True)
            time.sleep(600)
        """
    )
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_waits_saying_so_and_then_stops_with_a_sentence(
    another_run: subprocess.Popen[str], settings: Settings, tmp_path: Path
) -> None:
    run = metals(tmp_path, "run", "--offline", METALS_LOCK_WAIT_S="1")
    assert run.returncode == 1
    assert "another run is active: waiting for it, 1 s at most" in run.stderr
    assert "another run has held" in run.stderr
    assert "Traceback" not in run.stderr
    assert not settings.build_path.exists(), "it touched nothing"


def test_a_run_of_the_ui_holds_the_warehouse_from_its_first_step_to_its_last(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the steps of two runs would take turns, and one would publish what the other had half loaded."""
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(settings.warehouse_dir))
    attempt = f"""
        from pathlib import Path
        from pipelines import warehouse
        from pipelines.errors import WarehouseBusy
        from pipelines.settings import Settings
        try:
            with warehouse.exclusive(Settings(warehouse_dir=Path({str(settings.warehouse_dir)!r}), lock_wait_s=0.1)):
                print("free")
        except WarehouseBusy:
            print("busy")
        """

    def seen_from_outside() -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(attempt)], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with MetalsRun().yield_for_execution(build_init_resource_context()):
        assert seen_from_outside() == "busy"
        built(settings)  # its own steps take the lock again inside
        assert seen_from_outside() == "busy"
    assert seen_from_outside() == "free"


def test_a_run_of_the_ui_that_finds_another_one_stops_with_a_sentence(
    another_run: subprocess.Popen[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.setenv("METALS_LOCK_WAIT_S", "0.2")
    with (
        pytest.raises(WarehouseBusy, match="another run has held"),
        MetalsRun().yield_for_execution(build_init_resource_context()),
    ):
        pass


# The clock


def test_a_clock_set_back_publishes_nothing_and_says_what_to_do(settings: Settings) -> None:
    built(settings, 1)
    gate.publish(settings)
    before = verdicts.digest(settings.published_path)
    earlier = settings.model_copy(update={"now": NOW - timedelta(days=30)})
    built(earlier, 2)
    with pytest.raises(AuditFailed, match="the clock says 2026-05-11, but the published file is as of 2026-06-10"):
        gate.publish(earlier)
    assert verdicts.digest(settings.published_path) == before
    built(settings, 3)  # the clock is right again
    gate.publish(settings)
    assert answer(settings.published_path) == 3


def test_after_a_clock_that_was_ahead_one_command_lets_runs_fetch_and_publish_again(
    replay: Replay, settings: Settings, tmp_path: Path
) -> None:
    now = datetime(2026, 8, 21, 22, 30, tzinfo=UTC)
    settings = settings.model_copy(update={"now": now, "upstream_base_url": replay.base_url, "pacing": False})
    yesterday, ahead = (settings.model_copy(update={"now": now + timedelta(days=days)}) for days in (-1, 2000))
    catalog = catalogs.load(settings.catalog_dir)
    journal = Landing(settings.landing_dir).root / "journal" / f"{SOURCE}.jsonl"

    def asked(when: Settings) -> set[str]:
        retrievals = land([catalog.sources[SOURCE]], sources.module, catalog, when)[SOURCE]
        return {c.error or c.outcome for c in retrievals}

    assert asked(yesterday) == {"fresh"}
    loaded(yesterday)
    built(yesterday, 1)
    gate.publish(yesterday)
    assert asked(ahead) <= {"fresh", "unchanged"}
    loaded(ahead)
    built(ahead, 2)
    gate.publish(ahead)

    [refusal] = asked(settings)
    assert "not fetched: the clock says 2026-08-21 22:30 UTC" in refusal
    assert "run `metals rewind`" in refusal
    built(settings, 3)
    with pytest.raises(AuditFailed, match=r"set the clock right, or if it is right now .* run `metals rewind`"):
        gate.publish(settings)
    lines = journal.read_bytes().splitlines()
    assert metals(tmp_path, "rewind", METALS_NOW=now.isoformat()).returncode == 1, "nobody said that the clock is right"
    assert journal.read_bytes().splitlines() == lines
    done = metals(tmp_path, "rewind", "--yes", METALS_NOW=now.isoformat())
    assert done.returncode == 0, done.stderr
    [aside] = journal.parent.glob(f"{SOURCE}.jsonl.later-than-20260821T223000")
    assert f"journal lines set aside: {len(aside.read_bytes().splitlines())} of {SOURCE}" in done.stdout
    assert sorted([*journal.read_bytes().splitlines(), *aside.read_bytes().splitlines()]) == sorted(lines)
    assert answer(settings.published_path) == 2, "it stays until there is another one"

    assert asked(settings.model_copy(update={"now": now + timedelta(minutes=1)})) <= {"fresh", "unchanged"}
    assert loaded(settings).rows_added > 9000
    built(settings, 4)
    gate.publish(settings)
    with warehouse.reader(settings) as connection:
        assert warehouse.as_of(connection) == now.date()
        [(known_at,)] = connection.execute("select max(known_at) from raw.observation").fetchall()
    assert known_at.date() <= now.date()
    assert answer(settings.published_path) == 4
    assert (
        "nothing was recorded of a time after"
        in metals(tmp_path, "rewind", "--yes", METALS_NOW=(now + timedelta(minutes=2)).isoformat()).stdout
    )
    built(yesterday, 5)  # and the check blocks again
    with pytest.raises(AuditFailed, match="time_has_not_gone_back"):
        gate.publish(yesterday)


def test_a_schedule_runs_again_after_a_clock_that_was_ahead() -> None:
    now = datetime.now(UTC)
    before, ahead = (now + timedelta(days=days) for days in (-1, 2000))

    def schedule(location: str, name: str, started: datetime) -> InstigatorState:
        repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__")
        data = ScheduleInstigatorData("30 18 * * 1-5", started.timestamp())
        origin = repository.get_instigator_origin(name)
        return InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.DECLARED_IN_CODE, data)

    ours, begun_ahead, theirs = states = (
        schedule("metals-drivers", "daily", before),
        schedule("metals-drivers", "weekly", ahead),
        schedule("another-project", "daily", before),
    )
    with DagsterInstance.local_temp() as instance:
        for state in states:
            instance.add_instigator_state(state)
            for at in (before, ahead):
                instance.create_tick(
                    TickData(
                        state.instigator_origin_id,
                        state.instigator_name,
                        InstigatorType.SCHEDULE,
                        TickStatus.SUCCESS,
                        at.timestamp(),
                        run_ids=[],
                        run_keys=[],
                        selector_id=state.selector_id,
                    )
                )
        assert retention.rewind(instance, now) == 2

        def ticks(state: InstigatorState) -> list[int]:
            found = instance.get_ticks(state.instigator_origin_id, state.selector_id)
            return sorted(int(tick.timestamp) for tick in found)

        assert ticks(ours) == ticks(begun_ahead) == [int(before.timestamp())]
        assert ticks(theirs) == [int(before.timestamp()), int(ahead.timestamp())]
        assert {s.selector_id for s in instance.all_instigator_state()} == {ours.selector_id, theirs.selector_id}
        assert retention.rewind(instance, now) == 0


# Damaged files


def landed(settings: Settings, days: int = 3) -> None:
    """Made-up figures of the Federal Funds rate, landed as if fetched on so many days."""
    landing = Landing(settings.landing_dir)
    for day in range(days):
        rows = "".join(f"{2000 + i // 12}-{i % 12 + 1:02d}-01,{1 + (i % 7) / 4 + day / 100:.2f}\n" for i in range(300))
        payload_id = landing.put(f"observation_date,FEDFUNDS\n{rows}".encode())
        at = settings.clock() - timedelta(days=days - day)
        landing.append(Retrieval(SOURCE, "fredgraph/FEDFUNDS", at, "fresh", payload_id, status=200))


def loaded(settings: Settings) -> ingest.Report:
    catalog = catalogs.load(settings.catalog_dir)
    with warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalog)
        source = catalog.sources[SOURCE]
        return ingest.load_source(connection, source, sources.module(SOURCE), catalog, Landing(settings.landing_dir))


def damaged_inside(content: bytes) -> bytes:
    """The header stays: the file opens, and only reading its rows fails."""
    changed = bytearray(content)
    for at in range(12288, len(changed), 16384):
        changed[at : at + 64] = bytes(b ^ 0xFF for b in changed[at : at + 64])
    return bytes(changed)


def test_a_build_damaged_inside_is_found_at_the_start_of_a_run_and_made_again_from_landing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    landed(settings)
    assert loaded(settings).rows_added == 300
    whole = verdicts.contents(settings.build_path, ("raw",))
    content = damaged_inside(settings.build_path.read_bytes())
    settings.build_path.write_bytes(content)

    warehouse.verify_build(settings)
    assert "set aside as build.unreadable-20260610T120000.duckdb, rebuilt from landing" in caplog.text
    aside = settings.build_path.with_name("build.unreadable-20260610T120000.duckdb")
    assert aside.read_bytes() == content
    assert loaded(settings).rows_added == 300
    assert verdicts.contents(settings.build_path, ("raw",)) == whole


def test_a_whole_build_is_left_as_it_is(settings: Settings) -> None:
    landed(settings)
    loaded(settings)
    before = verdicts.digest(settings.build_path)
    warehouse.verify_build(settings)
    assert verdicts.digest(settings.build_path) == before


@pytest.mark.parametrize("how", ["cut", "not a database", "blocks"])
def test_a_damaged_published_file_is_replaced_by_the_next_publication(
    settings: Settings, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    built(settings, 1)
    with warehouse.writer(settings) as connection:
        connection.execute("create or replace table main.filler as select i, hash(i) as h from range(200000) as r(i)")
    gate.publish(settings)
    content = settings.published_path.read_bytes()
    damaged = {
        "cut": content[:5000],
        "not a database": b"<html>" * 1000,
        "blocks": damaged_inside(content),
    }[how]
    settings.published_path.write_bytes(damaged)
    built(settings, 2)
    gate.publish(settings)
    assert "the published file cannot be read" in caplog.text
    assert verdicts.incomplete(settings.published_path) == []
    assert answer(settings.published_path) == 2


def test_what_a_kill_left_half_written_in_landing_goes_after_an_hour(settings: Settings) -> None:
    landing = Landing(settings.landing_dir)
    payload_id = landing.put(b"whole")
    old, young = (landing.root / "objects" / payload_id[:2] / f"{payload_id}.{n}.part" for n in (1, 2))
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (1_000_000, 1_000_000))
    landing.sweep(young.stat().st_mtime + 60)
    assert not old.exists()
    assert young.exists()
    assert landing.get(payload_id) == b"whole"


# A fault of the machine is not the payload's


def test_a_payload_that_met_a_full_disk_is_loaded_by_the_next_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded as refused, it would never be loaded again."""
    landed(settings, days=1)
    append = warehouse.append

    def full(connection: duckdb.DuckDBPyConnection, table: str, frame: Any) -> int:
        if table == "coverage":
            raise duckdb.IOException("Could not write file: No space left on device")
        return append(connection, table, frame)

    monkeypatch.setattr(warehouse, "append", full)
    with pytest.raises(duckdb.IOException):
        loaded(settings)
    monkeypatch.undo()
    report = loaded(settings)
    assert (report.rows_added, report.refused) == (300, [])


@pytest.mark.parametrize("step", ["landing", "load", "models", "past_verdicts", "write_brief"])
def test_a_run_that_fails_before_publication_leaves_a_trace_until_one_publishes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.setenv("METALS_NOW", NOW.isoformat())
    monkeypatch.setenv("METALS_OFFLINE", "true")

    @asset(name=step, required_resource_keys={"metals"})
    def failing() -> None:
        raise Failure("1 of 3 models and tests failed", metadata={"driver_fiscal": "no such column"})

    def said(*command: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, list(command), catch_exceptions=False)
        return done.exit_code, " ".join((done.stdout + done.stderr).split())

    with DagsterInstance.ephemeral() as instance:
        materialize([failing], resources={"metals": MetalsRun()}, instance=instance, raise_on_error=False)
    why = f"2026-06-10 12:00 UTC: {step}: 1 of 3 models and tests failed driver_fiscal: no such column"
    stops = step != "write_brief"
    assert (f"not published {why}" in said("status")[1]) == stops
    built(settings)
    warehouse.publish(settings)
    assert (f"not published A later build failed or was blocked, {why}" in said("status")[1]) == stops
    code, doctors = said("doctor")
    assert code == 1
    assert ("not published, 2026-06-10 12:00 UTC: " + step in doctors) == stops
    gate.publish(settings)
    assert "not published" not in said("status")[1] + said("doctor")[1]


def test_a_run_that_is_killed_leaves_a_trace_until_another_one_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.setenv("METALS_NOW", NOW.isoformat())
    built(settings)
    gate.publish(settings)

    def status() -> str:
        return " ".join(CliRunner().invoke(cli.app, ["status"], catch_exceptions=False).stdout.split())

    run = running(
        """
        import time
        from dagster import build_init_resource_context
        from pipelines.orchestration.resources import MetalsRun
        with MetalsRun().yield_for_execution(build_init_resource_context()):
            print("ready", flush=True)
            time.sleep(600)
        """
    )
    assert "not published" not in status(), "it is still at work"
    run.kill()
    run.communicate()
    assert "2026-06-10 12:00 UTC: the run that began then was killed, or the machine went down" in status()
    with MetalsRun().yield_for_execution(build_init_resource_context()):
        gate.publish(settings)
    assert "not published" not in status()


# The override


def test_a_blocking_check_holds_the_build_back_until_a_reason_is_given_which_stays_on_record(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    built(settings, 1)
    gate.publish(settings)
    with warehouse.writer(settings) as connection:  # a duplicate row breaks what the as-of rule rests on
        for _ in range(2):
            connection.execute("insert into raw.filing (cik, accession, known_at) values (1, 'A', '2026-01-01')")
    before = verdicts.digest(settings.published_path)
    with pytest.raises(AuditFailed, match="raw_rows_are_unique"):
        gate.publish(settings)
    assert verdicts.digest(settings.published_path) == before
    status = metals(tmp_path, "status")
    assert "A later build failed or was blocked" in status.stdout
    assert "raw_rows_are_unique: raw rows share a key" in status.stdout

    caplog.set_level(logging.WARNING)
    reason = "the twin is being mended by hand"
    gate.publish(settings.model_copy(update={"publish_despite_failed_checks": reason}))
    assert f"the reason given: {reason}" in caplog.text
    status = metals(tmp_path, "status")
    assert "not published" not in status.stdout
    assert f"overridden: {reason}" in status.stdout
    with warehouse.writer(settings) as connection:
        connection.execute("delete from raw.filing")
    gate.publish(settings)
    with warehouse.reader(settings) as connection:
        log = connection.execute(
            "select failed_checks, override_reason from audit.publication order by rowid"
        ).fetchall()
    assert log == [([], None), (["raw_rows_are_unique"], reason), ([], None)]


# What is kept


def test_work_files_go_after_thirty_days_and_published_files_never(settings: Settings) -> None:
    built(settings)
    folder = settings.build_path.parent
    names = ("build.unreadable-20260401T000000.duckdb", "build.unreadable-20260601T000000.duckdb")
    for name in names:
        (folder / name).write_bytes(b"damaged")
    (folder / "as_of_2025-12-31").mkdir()
    (folder / "as_of_2025-12-31" / "build.duckdb").write_bytes(b"a copy")
    kept = settings.warehouse_dir / "as_of" / "metals_2025-12-31.duckdb"
    kept.parent.mkdir()
    kept.write_bytes(b"asked for")
    long_ago, lately = (NOW - timedelta(days=31)).timestamp(), (NOW - timedelta(days=29)).timestamp()
    for path in (folder / names[0], folder / "as_of_2025-12-31", kept):
        os.utime(path, (long_ago, long_ago))
    os.utime(folder / names[1], (lately, lately))
    gate.publish(settings)
    assert not (folder / names[0]).exists()
    assert not (folder / "as_of_2025-12-31").exists()
    assert (folder / names[1]).exists()
    assert kept.read_bytes() == b"asked for"
    assert answer(settings.published_path) == 1


@pytest.mark.parametrize("tags", retention.OURS, ids=["of the UI", "of the command"])
def test_a_killed_run_is_reported_failed_and_old_runs_are_forgotten_but_none_of_another_project(
    tags: dict[str, str], tmp_path: Path
) -> None:
    theirs_tags = {REPOSITORY_LABEL_TAG: "__repository__@another-project", "metals/started_by": "somebody"}
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        now = datetime.now(UTC)
        theirs = {
            create_run_for_test(instance, status=status, tags=tags).run_id: status
            for status in (DagsterRunStatus.STARTED, DagsterRunStatus.SUCCESS)
            for tags in ({}, theirs_tags)
        }
        killed = create_run_for_test(instance, status=DagsterRunStatus.STARTED, tags=tags)
        done = create_run_for_test(instance, status=DagsterRunStatus.SUCCESS, tags=tags)

        def statuses() -> dict[str, DagsterRunStatus]:
            return {run.run_id: run.status for run in instance.get_runs()}

        retention.tidy(instance, now + timedelta(hours=1))  # it may still be at work
        assert statuses() == theirs | {killed.run_id: DagsterRunStatus.STARTED, done.run_id: DagsterRunStatus.SUCCESS}
        retention.tidy(instance, now + timedelta(hours=13))
        assert statuses() == theirs | {killed.run_id: DagsterRunStatus.FAILURE, done.run_id: DagsterRunStatus.SUCCESS}
        [event] = [e.dagster_event for e in instance.all_logs(killed.run_id) if e.dagster_event]
        assert "killed" in (event.message or "")
        logs = Path(instance.compute_log_manager.get_captured_local_path([done.run_id, "compute_logs", "load"], "err"))  # type: ignore[attr-defined]
        logs.parent.mkdir(parents=True)
        logs.touch()
        retention.tidy(instance, now + timedelta(days=91))
        assert not logs.exists()
        assert statuses() == theirs
