"""The event log reads as Dagster's own does, and holds all that was logged when a run is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import sqlalchemy as db
import yaml
from dagster import AssetCheckKey, AssetCheckResult, AssetKey, DagsterInstance, asset, asset_check, materialize
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage

from pipelines.orchestration.event_log import EventLog

REPOSITORY = Path(__file__).resolve().parents[2]
KILLED = """
import os
from dagster import DagsterInstance, asset, materialize

@asset
def killed(context):
    context.log.info("said before the end")
    os.kill(os.getpid(), 9)

with DagsterInstance.get() as instance:
    materialize([killed], instance=instance)
"""


def _home(folder: Path) -> dict[str, str]:
    storage = {
        "module": "pipelines.orchestration.event_log",
        "class": "EventLog",
        "config": {"base_dir": {"env": "DAGSTER_HOME"}},
    }
    (folder / "dagster.yaml").write_text(yaml.safe_dump({"event_log_storage": storage}), encoding="utf-8")
    return {"DAGSTER_HOME": str(folder)}


@asset
def figures() -> int:
    return 1


@asset_check(asset=figures)
def is_one() -> AssetCheckResult:
    return AssetCheckResult(passed=True, metadata={"rows": 1})


def test_what_is_logged_is_what_dagsters_own_storage_would_hold(tmp_path: Path) -> None:
    found = []
    for storage in (EventLog, ConsolidatedSqliteEventLogStorage):
        folder = tmp_path / storage.__name__
        folder.mkdir()
        with DagsterInstance.local_temp(
            str(folder), overrides={"event_log_storage": {"module": storage.__module__, "class": storage.__name__,
                                                          "config": {"base_dir": str(folder)}}}
        ) as instance:  # fmt: skip
            assert type(instance.event_log_storage) is storage
            run = materialize([figures, is_one], instance=instance)
            assert run.success
        # Read back by Dagster's own class, as a tool of Dagster's would.
        reader = ConsolidatedSqliteEventLogStorage(str(folder))
        records = reader.get_records_for_run(run.run_id).records
        last = reader.get_latest_materialization_events([figures.key])[figures.key]
        [check] = reader.get_asset_check_execution_history(AssetCheckKey(AssetKey("figures"), "is_one"), limit=5)
        found.append(
            (
                Counter(
                    r.event_log_entry.get_dagster_event().event_type_value
                    for r in records
                    if r.event_log_entry.is_dagster_event
                ),
                last is not None and last.run_id == run.run_id,
                check.status,
                [r.asset_entry.last_run_id == run.run_id for r in reader.get_asset_records([figures.key])],
            )
        )
        assert [r.storage_id for r in records] == sorted(r.storage_id for r in records)
    assert found[0] == found[1]
    assert found[0][0]["ASSET_MATERIALIZATION"] == 1
    assert found[0][0]["ASSET_CHECK_EVALUATION"] == 1


def test_many_threads_read_at_once_and_none_loses_its_connection(tmp_path: Path) -> None:
    """The UI asks from more threads than a pool keeps connections; each holds one while all the others do."""
    log = EventLog(str(tmp_path))
    threads = 16
    all_hold_one = Barrier(threads, timeout=30)

    def read(number: int) -> int:
        with log._connect() as connection:
            connection.execute(db.text("select 1")).scalar_one()
            all_hold_one.wait()
            return int(connection.execute(db.text(f"select {number}")).scalar_one())

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(read, range(threads))) == list(range(threads))


def test_a_killed_run_keeps_what_it_had_logged(tmp_path: Path) -> None:
    environment = {**os.environ, **_home(tmp_path)}
    run = subprocess.run([sys.executable, "-c", KILLED], cwd=REPOSITORY, env=environment, check=False)
    assert run.returncode == -9
    log = ConsolidatedSqliteEventLogStorage(str(tmp_path))
    with log.index_connection() as connection:
        said = [row[0] for row in connection.exec_driver_sql("select event from event_logs order by id")]
    assert "said before the end" in said[-1]
