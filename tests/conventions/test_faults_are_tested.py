"""docs/faults.md names a test for every fault, and the tests it names exist."""

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
