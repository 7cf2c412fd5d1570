"""docs/data_dictionary.md is what the catalogue and the models say today."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from pipelines import catalog
from pipelines.authoring import dictionary
from pipelines.settings import PROJECT_ROOT

TRACKED = catalog.load(PROJECT_ROOT / "pipelines" / "catalog")


def test_the_committed_page_is_the_generated_one() -> None:
    committed = dictionary.PAGE.read_text(encoding="utf-8").splitlines()
    generated = dictionary.page(TRACKED, PROJECT_ROOT / "dbt_project").splitlines()
    changes = list(unified_diff(committed, generated, "committed", "generated", lineterm="", n=0))
    if changes:
        pytest.fail("docs/data_dictionary.md is out of date: run `make docs`\n" + "\n".join(changes[:20]), False)


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
    row = dictionary.page(tracked, PROJECT_ROOT / "dbt_project").splitlines()[12]
    assert row == "| [`bls`](#bls) | a\\|b c |  | public domain | on |"
