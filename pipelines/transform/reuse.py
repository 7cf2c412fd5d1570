"""Which models of the build are unchanged, so that they need not be built again.

A model's key covers everything that decides its rows: its code (`fingerprint`), the keys of the models it reads, the
raw rows it reads, and the as-of date where that does more than select the rows known by then. A model is kept while its
key is unchanged and its rows are those that were built; a test, while it is unchanged and all models it reads are kept.
Nothing is built here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl

from pipelines import warehouse
from pipelines.transform import fingerprint

# Stands for the as-of date in the compiled SQL; no publisher has a figure of that day.
SENTINEL = date(1000, 1, 1)
# The macro `known_by_as_of`, compiled. A count suffices to identify the rows that it selects (see `_state`).
_KNOWN_BY = re.compile(rf"(?:\w+\.)?known_(?:at|on) < cast\('{SENTINEL}' as date\) \+ interval 1 day")
Nodes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Kept:
    """A model or seed that is still as it was built, or a test that has passed on the same rows."""

    unique_id: str
    name: str
    resource_type: str
    built_at: datetime


@dataclass(frozen=True)
class Plan:
    """Keys of all models, seeds and tests by name, the names of those to build or run, and those that are kept.

    A model is tested by every test that reads it; `due` names only tests whose models are all kept.
    """

    keys: dict[str, str]
    due: list[str]
    kept: list[Kept]


def plan(connection: duckdb.DuckDBPyConnection, nodes: Nodes, tests: Nodes, as_of: date) -> Plan:
    """The plan of a full build; `nodes` are compiled for the sentinel day.

    A table whose rows differ from those recorded (someone wrote into the build) is due, like one with a new key.
    """
    keys = _keys(connection, nodes, tests, as_of)
    known: dict[str, tuple[str, str | None, datetime]] = {
        name: (key, content, built_at)
        for name, key, content, built_at in connection.execute(
            "select model, key, content, built_at from raw.model_state"
        ).fetchall()
    }
    due, kept = [], []
    for unique_id, node in nodes.items():
        name = node["name"]
        state = known.get(name)
        if state is not None and state[:2] == (keys[name], content_of(connection, node)):
            kept.append(Kept(unique_id, name, node["resource_type"], state[2]))
        else:
            due.append(name)
    stand = {k.unique_id for k in kept}
    for unique_id, test in tests.items():
        if stand.issuperset(parent for parent in test["depends_on"]["nodes"] if parent in nodes):
            state = known.get(test["name"])
            if state is not None and state[0] == keys[test["name"]]:
                kept.append(Kept(unique_id, test["name"], "test", state[2]))
            else:
                due.append(test["name"])
    return Plan(keys, due, kept)


def forget(connection: duckdb.DuckDBPyConnection, names: Iterable[str] | None = None) -> None:
    """Delete the records of these models (without names: of all) before they are built; `record` writes them again."""
    if names is None:
        connection.execute("delete from raw.model_state")
    else:
        connection.execute("delete from raw.model_state where model in (select unnest(?::varchar[]))", [list(names)])


def record(
    connection: duckdb.DuckDBPyConnection, nodes: Nodes, made: Plan, names: Iterable[str], build_id: str, at: datetime
) -> None:
    """Record models that were built and passed every test that reads them, or tests that passed."""
    by_name = {node["name"]: node for node in nodes.values()}
    rows = [
        {
            "model": name,
            "key": made.keys[name],
            "content": content_of(connection, by_name[name]) if name in by_name else None,
            "build_id": build_id,
            "built_at": at,
        }
        for name in names
    ]
    if rows:
        frame = pl.DataFrame(rows, schema_overrides={"content": pl.String, "built_at": pl.Datetime("us")})
        warehouse.append(connection, "model_state", frame)


def content_of(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> str | None:
    """Identity of a table's rows regardless of order, or of a view's SQL; None where it is not in the build."""
    _, schema, name = node["relation_name"].replace('"', "").split(".")
    if node["materialized"] == "view":
        found = warehouse.one(
            connection,
            "select sql from duckdb_views() where schema_name = ? and view_name = ? "
            "and database_name = current_database()",
            [schema, name],
        )
        return None if found is None else hashlib.sha256(found[0].encode()).hexdigest()[:16]
    try:
        return str(warehouse.one(connection, f'select {_STATE} from "{schema}"."{name}" as t'))
    except duckdb.CatalogException:
        return None


_STATE = "count(*), bit_xor(hash(t)), sum(hash(t))"


def _keys(connection: duckdb.DuckDBPyConnection, nodes: Nodes, tests: Nodes, as_of: date) -> dict[str, str]:
    """The key of every model, seed and test, by name."""
    states: dict[str, str] = {}
    keys: dict[str, str] = {}

    def key(unique_id: str) -> str:
        if unique_id not in nodes:  # a raw table
            if unique_id not in states:
                states[unique_id] = _state(connection, unique_id.rsplit(".", 1)[-1], as_of)
            return states[unique_id]
        node = nodes[unique_id]
        name = node["name"]
        if name not in keys:
            parents = node["depends_on"].get("nodes", [])
            code = node["compiled_code"] or ""
            reads_raw_tables_only = not any(parent in nodes for parent in parents)
            asks_for_the_day = SENTINEL.isoformat() in (_KNOWN_BY.sub("", code) if reads_raw_tables_only else code)
            keys[name] = fingerprint.of(
                computes(node),
                as_of.isoformat() if asks_for_the_day else "any day",
                *(f"{parent}={key(parent)}" for parent in sorted(parents)),
            )
        return keys[name]

    for unique_id in nodes:
        key(unique_id)
    for test in tests.values():
        parents = sorted(test["depends_on"]["nodes"])
        keys[test["name"]] = fingerprint.of(test["identity"], *(f"{parent}={key(parent)}" for parent in parents))
    return keys


def computes(node: Mapping[str, Any]) -> str:
    """Identity of what a compiled model or seed computes: its code, the formulas it imports, program versions."""
    formulas = fingerprint.formulas(node["source"]) if node["language"] == "python" else ""
    return fingerprint.of(node["identity"], fingerprint.engines(), formulas)


def _state(connection: duckdb.DuckDBPyConnection, table: str, as_of: date) -> str:
    """Identity of a raw table's rows, and how many of them were known by the end of the as-of date.

    Rows known by one day include those known by an earlier day. So for the same table, equal counts mean equal rows.
    """
    columns = {column.name for t in warehouse.TABLES if t.name == table for column in t.columns}
    known = "".join(
        f", count(*) filter (where {name} < date '{as_of}' + interval 1 day)"
        for name in ("known_at", "known_on")
        if name in columns
    )
    return str(warehouse.one(connection, f"select {_STATE}{known} from raw.{table} as t"))
