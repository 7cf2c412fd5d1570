"""Fingerprints of what can change a figure, and of nothing else: code without comments, seeds, library versions.

The fingerprint of a model covers its compiled SQL (which includes its macros), or its Python source and the formulas it
imports from `statistics`. Descriptions, comments, docstrings and all other packages of `pipelines` are left out: a
change there rebuilds no model and discards no past verdict.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pipelines.settings import PROJECT_ROOT

# Their results for the same SQL, or for the same arrays, may change with their version.
ENGINES = ("duckdb", "dbt-core", "dbt-duckdb")
LIBRARIES = ("numpy", "scipy", "statsmodels", "arch", "pyarrow")

STATISTICS = "pipelines.statistics"
# String literals and quoted names are kept verbatim; comments and white space between them are normalised.
_SQL_PARTS = re.compile(
    r"""(?P<kept>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)|(?:--[^\n]*|/\*.*?\*/|\s)+""",
    re.DOTALL,
)
_JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)

Node = Mapping[str, Any]


def of(*parts: object) -> str:
    """A short hash of the parts, which are separated, so that text moved from one part to the next changes it."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def sql(code: str) -> str:
    """SQL without comments, with each run of white space as one blank."""
    return _SQL_PARTS.sub(lambda m: m["kept"] or " ", _JINJA_COMMENT.sub(" ", code)).strip()


def python(source: str) -> str:
    """Python without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def node(manifest_node: Node, project: Path) -> str:
    """Identity of a model, seed or test, without its inputs: its code or text, and settings that shape its result."""
    config = manifest_node["config"]
    if manifest_node["resource_type"] == "test":
        thresholds = [config.get(key) for key in ("severity", "limit", "fail_calc", "warn_if", "error_if")]
        return of(json.dumps(thresholds), sql(manifest_node["compiled_code"]))
    settings = {
        "relation": manifest_node["relation_name"],
        "materialized": config["materialized"],
        "hooks": [config.get("pre-hook"), config.get("post-hook")],
        "column_types": config.get("column_types"),
    }
    if (manifest_node.get("contract") or {}).get("enforced"):
        settings["columns"] = [
            [c["name"], c.get("data_type"), c.get("constraints")] for c in manifest_node["columns"].values()
        ]
    path = project / manifest_node["original_file_path"]
    if manifest_node["resource_type"] == "seed":
        code = path.read_text(encoding="utf-8")
    elif manifest_node["language"] == "python":
        code = python(path.read_text(encoding="utf-8"))
    else:
        code = sql(manifest_node["compiled_code"])
    return of(json.dumps(settings, sort_keys=True), code)


@cache
def engines() -> str:
    """Versions of the programs that run every model."""
    return of(*(f"{name} {metadata.version(name)}" for name in ENGINES))


def formulas(source: str) -> str:
    """Identity of the modules of `statistics` that Python source imports, directly or not, and of their libraries."""
    modules: dict[str, str] = {}
    due = list(_imported(source))
    while due:
        name = due.pop()
        path = PROJECT_ROOT / f"{name.replace('.', '/')}.py"
        if name not in modules and path.exists():
            modules[name] = path.read_text(encoding="utf-8")
            due += _imported(modules[name])
    return of(
        *(f"{name} {metadata.version(name)}" for name in LIBRARIES),
        *(f"{name} {python(text)}" for name, text in sorted(modules.items())),
    )


def _imported(source: str) -> Iterator[str]:
    """Modules of `statistics` that `source` imports; may include names inside a module, which match no file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.startswith(f"{STATISTICS}."))
