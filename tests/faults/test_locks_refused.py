"""A file system without locks, as on a share without a lock service: said in one sentence, and nothing is written."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines import warehouse
from pipelines.landing import Landing, Retrieval
from pipelines.settings import PROJECT_ROOT, Settings
from tests.faults.locks_refused import FLOCK_FCNTL

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() not in FLOCK_FCNTL, reason="refuses locks by seccomp"
)
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
# What a run and a reader of its files do, one after the other, with what each raised.
STEPS = """
from pipelines import ingest, warehouse
from pipelines.catalog import Catalog
from pipelines.landing import Landing, Retrieval
from pipelines.settings import Settings
import pipelines.warehouse.build
settings = Settings()
line = Retrieval("tiny", "data", settings.clock(), "failed", error="planted")

def enter(context):
    with context: pass

def build_alone():  # a local lock, and a share for the build
    pipelines.warehouse.build.acquire = lambda lock, wait_s: None
    pipelines.warehouse.build.FileLock.release = lambda lock: None
    enter(warehouse.writer(settings))

for name, step in {
    "exclusive": lambda: enter(warehouse.exclusive(settings)),
    "journal": lambda: Landing(settings.landing_dir).append(line),
    "rewind": lambda: Landing(settings.landing_dir).set_aside_later(settings.clock().replace(year=2000)),
    "publish": lambda: warehouse.publish(settings),
    "reader": lambda: enter(warehouse.reader(settings)),
    "build": build_alone,
}.items():
    try:
        step()
        print(name, "passed")
    except Exception as error:
        print(name, type(error).__name__, error)
"""


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and "dagster_home" not in path.parts
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a journal, a payload, a build and a published file."""
    settings = Settings(warehouse_dir=tmp_path, now=NOW)
    landing = Landing(settings.landing_dir)
    landing.append(Retrieval("tiny", "data", settings.clock(), "fresh", payload_id=landing.put(b"planted")))
    with warehouse.exclusive(settings), warehouse.writer(settings):
        pass
    with closing(duckdb.connect(str(settings.published_path))) as connection:
        connection.execute("create table main.planted as select 1 as x")
    return tmp_path


def without_locks(name: str, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "METALS_WAREHOUSE_DIR": str(home),
        "DAGSTER_HOME": str(home / "dagster_home"),
        "METALS_NOW": NOW.isoformat(),
        "COLUMNS": "1000",
    }
    refused = [sys.executable, "-W", "error::UserWarning", "-m", "tests.faults.locks_refused", name]
    return subprocess.run(
        [*refused, *command],
        cwd=PROJECT_ROOT,
        env=environment,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_every_step_says_that_there_are_no_locks_and_changes_nothing(home: Path, name: str) -> None:
    before = contents(home)
    done = without_locks(name, home, sys.executable, "-c", STEPS)
    said = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    assert len(said) == 6, done.stderr
    if name == "EOPNOTSUPP":  # then DuckDB reads without a lock, as it does from read-only media
        assert said.pop("reader") == "reader passed"
    for step, line in said.items():
        assert "LocksRefused the file system of" in line, step
        assert "refuses to lock files (" in line
    assert contents(home) == before


def test_a_run_without_locks_is_over_at_once_with_one_sentence(home: Path) -> None:
    before = contents(home)
    done = without_locks("ENOLCK", home, sys.executable, "-m", "pipelines.cli", "run", "--offline")
    assert done.returncode == 1
    assert done.stderr.count("refuses to lock files (No locks available)") == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(home) == before
