"""docs/faults.md and docs/endurance.md name a test for every fault, and the tests they name exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from pipelines.settings import PROJECT_ROOT

ROWS = [
    line
    for line in (PROJECT_ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| fault |", "| behaviour |"))
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[(.+)\])?`")


@cache
def _names(path: str) -> tuple[frozenset[str], frozenset[str]]:
    """Functions of a test file, and every text in it."""
    tree = ast.parse((PROJECT_ROOT / path).read_text(encoding="utf-8"))
    functions = frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    texts = frozenset(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return functions, texts


def test_the_table_is_found() -> None:
    assert len(ROWS) >= 60


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_fault_has_its_test(row: str) -> None:
    named = TEST.findall(row)
    assert len(named) == 1, "one test per row"
    (path, function, case) = named[0]
    functions, texts = _names(path)
    assert function in functions
    assert not case or case in texts


# Tests that endurance.md names without a file are in these.
ENDURANCE = (PROJECT_ROOT / "docs" / "endurance.md").read_text(encoding="utf-8").partition("## Soak tests")[0]
PLACES = re.findall(r"`(tests/[\w/]+\.py)`", ENDURANCE.partition("Tests listed without a file are in")[2])
OF_THE_MACHINE = [line for line in ENDURANCE.splitlines() if line.startswith("| ") and not line.startswith("| fault |")]


@pytest.mark.parametrize("row", OF_THE_MACHINE, ids=lambda row: row.split("|")[1].strip())
def test_a_fault_of_the_machine_has_its_test(row: str) -> None:
    cell = row.split("|")[4]
    named = re.findall(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`", cell)
    modules = re.findall(r"`(tests/[\w/]+\.py)`", cell)
    assert named or modules or cell.strip().startswith("same")
    for path, function in named:
        assert any(function in _names(place)[0] for place in ([path] if path else PLACES)), function
    assert all((PROJECT_ROOT / path).exists() for path in modules)
