"""Constructs that the code must not use, found by walking its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import catalog as catalogs
from pipelines.settings import PROJECT_ROOT, Settings

FILES = sorted(path for folder in ("pipelines", "dbt_project/models") for path in (PROJECT_ROOT / folder).rglob("*.py"))
# Deserialisers that run code, XML parsers that expand entities, shells.
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "xml.etree", "xml.etree.ElementTree",
    "xml.dom", "xml.dom.minidom", "xml.sax", "lxml", "tarfile", "ftplib", "telnetlib",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "pl.read_database", "pl.DataFrame.deserialize", "pl.LazyFrame.deserialize",
}  # fmt: skip
FORBIDDEN_METHODS = {"extractall", "extract_all", "read_pickle", "to_pickle", "unpack_archive"}
# What a Python model may import: it computes from rows, and nothing else. The rooms of `pipelines` have their contracts
# in pyproject.toml, which import-linter holds.
MODEL_IMPORTS = {"__future__", "collections", "datetime", "itertools", "math", "numpy", "pyarrow", "typing"}


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def problems(source: str, path: str) -> list[str]:
    """What is wrong with `source`; `path` is relative to the project."""
    tree = ast.parse(source)
    found = [f"imports {module}" for module in imports(tree) if module in FORBIDDEN_MODULES]
    if path.startswith("dbt_project/"):
        found += [
            f"imports {module} into a model"
            for module in imports(tree)
            if module.partition(".")[0] not in MODEL_IMPORTS and not module.startswith("pipelines.statistics")
        ]
    for called, node in calls(tree):
        if called in FORBIDDEN_CALLS or called.rpartition(".")[2] in FORBIDDEN_METHODS:
            found.append(f"line {node.lineno}: calls {called}")
        if called == "duckdb.connect" and not path.startswith("pipelines/warehouse/"):
            found.append(f"line {node.lineno}: opens a database; pipelines/warehouse does")
        if any(
            k.arg == "shell" and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in node.keywords
        ):
            found.append(f"line {node.lineno}: starts a shell")
        if any(k.arg == "verify" for k in node.keywords):
            found.append(f"line {node.lineno}: decides about certificates")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PROJECT_ROOT)))
def test_no_file_does_what_it_may_not(path: Path) -> None:
    assert problems(path.read_text(encoding="utf-8"), path.relative_to(PROJECT_ROOT).as_posix()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from xml.etree import ElementTree", "eval('1')", "import yaml\nyaml.load(x)",
        "archive.extractall()", "run('ls', shell=True)", "import duckdb\nduckdb.connect('x')",
        "session.get(u, verify=False)",
    ],
)  # fmt: skip
def test_the_walk_finds_what_it_is_for(source: str) -> None:
    assert problems(source, "pipelines/audit/some_module.py") != []


@pytest.mark.parametrize("source", ["import requests", "from pipelines import warehouse", "import subprocess"])
def test_a_model_imports_formulas_and_arrays_only(source: str) -> None:
    assert problems(source, "dbt_project/models/some_model.py") != []
    assert problems(source, "pipelines/audit/some_module.py") == []


def test_every_publisher_is_asked_at_named_hosts_and_bounded() -> None:
    catalog = catalogs.load(Settings().catalog_dir)
    for source in catalog.sources.values():
        assert all("*" not in host and "/" not in host and ":" not in host and "." in host for host in source.hosts)
        # Only the SEC's quarterly archives are that large, and they are off unless asked for.
        assert source.max_body_mb <= 100 or source.switch, source.id
