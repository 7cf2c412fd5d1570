"""One warehouse of all payloads, and one of what ships, built once and shared by the tests of the models."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import once_for_all_workers
from tests.models import claims

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built_file(every_payload: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build file of a warehouse that holds every payload of these folders and nothing else, with all models."""

    def make(folder: Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "tests.models.loading", str(folder), *map(str, every_payload)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            check=True,
            timeout=600,
        )
        with duckdb.connect(str(folder / "build" / "build.duckdb"), read_only=True) as connection:
            connection.execute(f"copy (from main.lineage) to '{folder}/lineage.parquet'")

    return once_for_all_workers(tmp_path_factory, "built_warehouse", make) / "build" / "build.duckdb"


@pytest.fixture(scope="session")
def bundled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build file with the figures that ship and the seeds, without models."""
    return once_for_all_workers(tmp_path_factory, "bundled_warehouse", claims.bundled) / "build" / "build.duckdb"


@pytest.fixture
def bundled(bundled_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """What ships, in a database in memory named as the build is in the models."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute(f"attach '{bundled_file}' as shipped (read_only)")
        connection.execute("copy from database shipped to build")
        connection.execute("detach shipped")
        connection.execute("use build")
        yield connection


@pytest.fixture(scope="module")
def built(built_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to it, in which the view `lineage` is a table: it takes seconds and is asked often."""
    with duckdb.connect(str(built_file), read_only=True) as connection:
        connection.execute(f"create temp table lineage as from '{built_file.parents[1]}/lineage.parquet'")
        yield connection
