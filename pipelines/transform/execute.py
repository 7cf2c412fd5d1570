"""Runs compiled models and loads seeds on one connection: in the build, and for past days in an in-memory database.

dbt compiles the models once per change of the project (`dbt.compiled`). Run by dbt, a model costs ten times its query.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from pipelines import text, warehouse
from pipelines.transform import reuse
from pipelines.transform.results import NodeResult

log = text.logger("metals.transform")

PROGRESS_EVERY_S = 10.0
# Queries at a time, each on a cursor of its own: most are too small to use more than one core.
WORKERS = min(4, os.cpu_count() or 1)
Node = Mapping[str, Any]


class ContractError(Exception):
    """A model's query does not give the columns that its contract promises, or the model needs what only dbt does."""


def run(
    connection: duckdb.DuckDBPyConnection,
    nodes: Mapping[str, Node],
    as_of: date,
    project: Path,
    relations: Mapping[str, str],
) -> list[NodeResult]:
    """Results of models and seeds (compiled for the sentinel day), built as of `as_of`, in their order.

    `relations` has every model and seed by name, for models written in Python.
    One that fails keeps the rows of its last build, and models that read it are skipped.
    Raises duckdb.IOException and duckdb.FatalException: the disk or the file fails, not a model.
    """
    for schema in {node["relation_name"].rpartition(".")[0] for node in nodes.values()}:
        connection.execute(f"create schema if not exists {schema}")
    parents = {i: [p for p in node["depends_on"].get("nodes", []) if p in nodes] for i, node in nodes.items()}
    order = TopologicalSorter(parents)
    order.prepare()
    results: dict[str, NodeResult] = {}
    said_at = time.monotonic()

    def built(unique_id: str) -> NodeResult:
        node, started = nodes[unique_id], time.perf_counter()
        absent = [nodes[p]["name"] for p in parents[unique_id] if results[p].status != "success"]
        if absent:
            status, message = "skipped", f"not built: {', '.join(absent)}"
        else:
            with connection.cursor() as cursor:
                status, message = _built(cursor, node, as_of, project, relations)
        seconds = time.perf_counter() - started
        return NodeResult(unique_id, node["name"], node["resource_type"], status, message, seconds)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="models") as pool:
        running = set[Future[NodeResult]]()
        try:
            while order.is_active():
                running |= {pool.submit(built, unique_id) for unique_id in order.get_ready()}
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    result = future.result()
                    results[result.unique_id] = result
                    order.done(result.unique_id)
                    progress = {"stage": "models", "done": len(results), "total": len(nodes)}
                    log.debug("models: %s", result.name, extra=progress)
                if time.monotonic() - said_at > PROGRESS_EVERY_S:
                    said_at = time.monotonic()
                    log.info("models: %d of %d built", len(results), len(nodes))
        finally:
            pool.shutdown(cancel_futures=True)
    return [results[unique_id] for unique_id in nodes]


def _built(
    connection: duckdb.DuckDBPyConnection, node: Node, as_of: date, project: Path, relations: Mapping[str, str]
) -> tuple[str, str]:
    try:
        with warehouse.transaction(connection):
            create(connection, node, as_of, project, relations.__getitem__)
    except (duckdb.IOException, duckdb.FatalException):
        raise
    except Exception as error:  # noqa: BLE001 - a model written in Python may raise anything
        return "error", f"{node['original_file_path']}: {error}"
    return "success", ""


def create(
    connection: duckdb.DuckDBPyConnection, node: Node, as_of: date, project: Path, relation_of: Callable[[str], str]
) -> None:
    """Create or replace the table or view of `node`, with the columns of its contract if it has one.

    Raises ContractError, duckdb.Error, and whatever a model written in Python raises.
    """
    if node["hooks"]:
        raise ContractError(f"the pipeline runs no hooks; `dbt build` would run {node['hooks']}")
    target = node["relation_name"]
    _, schema, name = target.replace('"', "").split(".")
    kind = "view" if node["materialized"] == "view" else "table"
    other = "table" if kind == "view" else "view"
    if (schema, name) in existing(connection, other):  # its materialization has changed
        connection.execute(f"drop {other} {target}")
    if node["resource_type"] == "seed":
        connection.execute(f"create or replace table {target} as from {_csv(node, project)}")
        return
    if node["language"] == "python":
        with rows_of_python(connection, project / node["original_file_path"], relation_of) as rows:
            connection.execute(f"create or replace table {target} as from {rows}")
        return
    code = node["compiled_code"].replace(reuse.SENTINEL.isoformat(), as_of.isoformat())
    if not node["contract"]:
        connection.execute(f"create or replace {kind} {target} as {code}")
        return
    query = connection.sql(code)
    found = dict(zip(query.columns, map(str, query.dtypes), strict=True))
    if kind == "view":
        empty = ", ".join(f'null::{kind_of} as "{column}"' for column, kind_of, _ in node["contract"])
        promised = connection.sql(f"select {empty}")
        _compare(found, dict(zip(promised.columns, map(str, promised.dtypes), strict=True)))
        connection.execute(f"create or replace view {target} as {code}")
        return
    columns = [f'"{column}" {kind_of}{" not null" * required}' for column, kind_of, required in node["contract"]]
    connection.execute(f"create or replace table {target} ({', '.join(columns)})")
    table = connection.sql(f"from {target}")
    _compare(found, dict(zip(table.columns, map(str, table.dtypes), strict=True)))
    connection.execute(f"insert into {target} by name ({code}\n)")


def _csv(node: Node, project: Path) -> str:
    """The table function that reads a seed's file: types as configured, and an empty field is null, as dbt reads it."""
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in node["column_types"].items())
    path = warehouse.quoted(str(project / node["original_file_path"]))
    return (
        f"read_csv('{path}', header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        f"allow_quoted_nulls = true{', types = {' + types + '}' if types else ''})"
    )


def _compare(found: Mapping[str, str], promised: Mapping[str, str]) -> None:
    differ = [
        f"{column}: {found.get(column, 'not there')}, promised {promised.get(column, 'nothing')}"
        for column in [*promised, *(found.keys() - promised.keys())]
        if found.get(column) != promised.get(column)
    ]
    if differ:
        raise ContractError(f"the columns are not those of the model's contract ({'; '.join(differ)})")


def existing(connection: duckdb.DuckDBPyConnection, kind: str) -> set[tuple[str, str]]:
    """(schema, name) of the tables or views in the connection's database."""
    query = f"select schema_name, {kind}_name from duckdb_{kind}s() where database_name = current_database()"
    return {(schema, name) for schema, name in connection.execute(query).fetchall()}


class _Dbt:
    """The part of dbt's interface that a model written in Python uses: its inputs."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation_of: Callable[[str], str]) -> None:
        self._connection, self._relation_of = connection, relation_of

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self._connection.sql(f"from {self._relation_of(name)}")

    def config(self, **options: object) -> None:
        del options


@contextlib.contextmanager
def rows_of_python(connection: duckdb.DuckDBPyConnection, file: Path, relation_of: Callable[[str], str]) -> Any:
    """The name under which the rows of a model written in Python can be read meanwhile."""
    spec = importlib.util.spec_from_file_location(f"model_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python model")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    connection.register("model_result", module.model(_Dbt(connection, relation_of), connection))
    try:
        yield "model_result"
    finally:
        connection.unregister("model_result")
