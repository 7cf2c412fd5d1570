"""The models' data tests: their compiled queries, run on one connection, several at a time.

dbt runs every test as a node of its own, with several times the cost of its query. The tests are still declared,
compiled and configured in the dbt project, and judged by dbt's rules for severity and thresholds.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import duckdb

from pipelines import text
from pipelines.transform import execute, reuse
from pipelines.transform.results import NodeResult

log = text.logger("metals.transform")

SHOWN_ROWS = 3  # of those that a failed test selects
SHOWN_CHARACTERS = 160  # of a row, in whole columns: what the test is about stands first


def run(
    connection: duckdb.DuckDBPyConnection,
    tests: Mapping[str, Mapping[str, Any]],
    built: Iterable[NodeResult],
    as_of: date,
) -> list[NodeResult]:
    """Results of `tests` (compiled for the sentinel day) as of `as_of`, in their order.

    A test of a model that was not built is skipped, and a test whose query fails is an error; neither raises.
    """
    if tests:
        log.info("models: %d tests", len(tests))
    missing = {r.unique_id: r.name for r in built if r.status != "success"}

    def result(unique_id: str) -> NodeResult:
        test, started = tests[unique_id], time.perf_counter()
        absent = [missing[parent] for parent in test["depends_on"]["nodes"] if parent in missing]
        if absent:
            status, message = "skipped", f"not built: {', '.join(absent)}"
        else:
            with connection.cursor() as cursor:
                status, message = _judged(cursor, test, as_of)
        return NodeResult(unique_id, test["name"], "test", status, message, time.perf_counter() - started)

    with ThreadPoolExecutor(execute.WORKERS, thread_name_prefix="tests") as pool:
        return list(pool.map(result, tests))


def _judged(connection: duckdb.DuckDBPyConnection, test: Mapping[str, Any], as_of: date) -> tuple[str, str]:
    limits = test["thresholds"]
    code = test["compiled_code"].replace(reuse.SENTINEL.isoformat(), as_of.isoformat())
    selected = f"({code}\n{'' if limits['limit'] is None else 'limit ' + str(limits['limit'])}) as selected"
    count, warn_if, error_if = limits["fail_calc"], limits["warn_if"], limits["error_if"]
    try:
        relation = f"select {count}, {count} {warn_if}, {count} {error_if} from {selected}"
        (found, warns, errs), *_ = connection.execute(relation).fetchall()
        if errs and limits["severity"].casefold() == "error":
            status, rule = "fail", error_if
        elif warns:
            status, rule = "warn", warn_if
        else:
            return "pass", ""
        return status, f"found {found}, fails if {rule}; first rows: {_first(connection, selected)}"
    except duckdb.Error as error:
        return "error", str(error)


def _first(connection: duckdb.DuckDBPyConnection, selected: str) -> str:
    cursor = connection.execute(f"select * from {selected} limit {SHOWN_ROWS}")
    names = [column[0] for column in cursor.description]
    return "; ".join(_row([f"{n}={v}" for n, v in zip(names, row, strict=True)]) for row in cursor.fetchall())


def _row(cells: list[str]) -> str:
    lengths = itertools.accumulate(len(cell) + len(", ") for cell in cells)
    most = max(1, sum(length <= SHOWN_CHARACTERS for length in lengths))
    return ", ".join(cells[:most]) + (", …" if most < len(cells) else "")
