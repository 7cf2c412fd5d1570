"""What a start does not import: each of these takes tenths of a second and is needed by a part of a run only."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines import transform
from pipelines.settings import PROJECT_ROOT, Settings

ASSEMBLED = "from pipelines.definitions import defs; defs().get_repository_def()"
IMPORTED = "import pipelines.cli"
STATUS = "from pipelines import warehouse; warehouse.rows(__import__('duckdb').connect(), 'select 1 as one')"


@pytest.mark.parametrize(
    ("start", "never"),
    [
        (ASSEMBLED, {"dbt", "dagster_dbt", "pandas", "pandera", "pyarrow", "scipy", "statsmodels", "plotly"}),
        (IMPORTED, {"dagster", "dbt", "numpy", "pandas", "pandera", "pyarrow", "plotly", "pipelines.ingest"}),
        (STATUS, {"numpy", "pyarrow"}),
    ],
    ids=["the code location", "the command", "rows of a query"],
)
def test_a_start_imports_only_what_it_needs(start: str, never: set[str]) -> None:
    transform.manifest(Settings())  # parses the project if it has changed, which takes dbt
    code = f"{start}\nimport sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "pipelines" in imported
    assert imported & never == set()
