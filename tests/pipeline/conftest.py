"""Whole runs of the daily job, each in a separate process, as a user starts it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines import cli

REPOSITORY = Path(__file__).resolve().parents[2]
_OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
# The words before a command that make the project's folder read-only for it; none where nobody may mount.
READ_ONLY_PROJECT = (
    (*_OWN_MOUNTS, "sh", "-c", 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"', "sh")
    if shutil.which("unshare") and subprocess.run([*_OWN_MOUNTS, "true"], check=False).returncode == 0
    else ()
)
RUN_TIMEOUT_S = 600


@dataclass(frozen=True)
class Home:
    """A place of its own for a warehouse and for Dagster's state, and a way to call `metals` there."""

    folder: Path
    environment: dict[str, str]

    @property
    def published(self) -> Path:
        return self.folder / "warehouse" / "metals.duckdb"

    def metals(
        self, *arguments: str, before: tuple[str, ...] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return self._run([*before, sys.executable, "-m", "pipelines.cli", *arguments], environment)

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command that only reads, called in this process: it spares the seconds that a process takes to start."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.environment, **environment}.items():
                patch.setenv(name, value)
            for console in (cli.console, cli.errors):  # made when this process imported them
                patch.setattr(console, "width", int(self.environment["COLUMNS"]))
            result = CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)

    def python(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A process of its own: dbt leaves its adapter registered in the process it ran in."""
        return self._run([sys.executable, "-c", code], environment)

    def _run(self, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=REPOSITORY,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )

    def rows(self, query: str, path: Path | None = None) -> list[tuple[object, ...]]:
        with duckdb.connect(str(path or self.published), read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Home]:
    """Makes an empty home; keyword arguments are environment variables of its runs."""

    def make(**environment: str) -> Home:
        folder = tmp_path_factory.mktemp("home")
        (folder / "dagster").mkdir()
        (folder / "dagster" / "dagster.yaml").write_text(
            (REPOSITORY / "dagster_home" / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        return Home(
            folder,
            {
                "METALS_WAREHOUSE_DIR": str(folder / "warehouse"),
                "DAGSTER_HOME": str(folder / "dagster"),
                "METALS_CONTACT": "metals-drivers tests tests@example.com",
                "COLUMNS": "200",
                "METALS_HISTORY_MONTHS": "1",  # each month costs a second or two; their own tests look at several
                **environment,
            },
        )

    return make
