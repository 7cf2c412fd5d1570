"""docs/data_dictionary.md and dbt's sources are what the catalogue, the models and the raw tables say today."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import pytest

from pipelines import catalog
from pipelines.authoring import dictionary
from pipelines.settings import PROJECT_ROOT

TRACKED = catalog.load(PROJECT_ROOT / "pipelines" / "catalog")


@pytest.mark.parametrize(
    ("file", "written"),
    [
        (dictionary.PAGE, lambda: dictionary.page(TRACKED, PROJECT_ROOT / "dbt_project")),
        (dictionary.SOURCES, dictionary.sources),
    ],
    ids=["page", "sources"],
)
def test_the_committed_file_is_the_generated_one(file: Path, written: Callable[[], str]) -> None:
    committed = file.read_text(encoding="utf-8").splitlines()
    changes = list(unified_diff(committed, written().splitlines(), "committed", "generated", lineterm="", n=0))
    if changes:
        pytest.fail(f"{file.name} is out of date: run `make docs`\n" + "\n".join(changes[:20]), False)


def test_every_publisher_and_series_and_published_table_stands_on_the_page() -> None:
    lines = dictionary.PAGE.read_text(encoding="utf-8").splitlines()
    of_series = lines[: lines.index("## Published tables")]  # a column may be called like a series
    models = PROJECT_ROOT / "dbt_project" / "models" / "marts"
    for name in [*TRACKED.sources, *(path.stem for path in models.rglob("*.sql"))]:
        assert f"### {name}" in lines, name
    for name in TRACKED.series:
        assert sum(line.startswith(f"| `{name}` |") for line in of_series) == 1, name


def test_a_cell_with_a_bar_or_a_line_break_does_not_break_its_row() -> None:
    source = TRACKED.sources["bls"].model_copy(update={"title": "a|b\nc"})
    tracked = catalog.Catalog([source], [], [], [])
    [row] = [line for line in dictionary.page(tracked, PROJECT_ROOT / "dbt_project").splitlines() if "(#bls)" in line]
    assert row == "| [`bls`](#bls) | a\\|b c |  | public domain | native, 2026-09-28 (part) | on |"
