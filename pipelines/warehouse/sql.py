"""Queries, appends and transactions on a connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import duckdb
import polars as pl

from pipelines.errors import InvalidQuery

# DuckDB draws a bar on standard output in processes that have no script, such as the runs that the UI starts.
NO_PROGRESS_BAR = "set enable_progress_bar = false"


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction: committed at the end, rolled back on an exception."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # after a full disk, rollback may fail too; the first error is raised
            connection.execute("rollback")
        raise


def append(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> int:
    """Append a frame to `raw.<table>`, by column name. Returns the number of rows."""
    if frame.is_empty():
        return 0
    connection.register("incoming_rows", frame.to_arrow())
    try:
        connection.execute(f"insert into raw.{table} by name select * from incoming_rows")
    finally:
        connection.unregister("incoming_rows")
    return frame.height


def query(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | dict[str, str] | None = None
) -> pl.DataFrame:
    """Rows of a query as a Polars frame."""
    frame = pl.from_arrow(connection.sql(sql, params=parameters or []).to_arrow_table())
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table, never a series
    return frame


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query as dicts by column: for the few that are shown, without importing Arrow as a frame does."""
    result = connection.execute(sql, parameters or [])
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def one(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None
) -> tuple[Any, ...] | None:
    """First row of a query, or None. All rows are fetched, because a pending result blocks the connection."""
    rows = connection.execute(sql, parameters or []).fetchall()
    return rows[0] if rows else None


def newest_known(where: str = "true") -> str:
    """SQL in parentheses: per series and period of raw.observation, the newest known value, its decimals, its time.

    `where` selects the rows that count, such as those of some series that were known by a given time.
    """
    return f"""(
        select
            series_id, period, arg_max(value, known_at) as value, arg_max(decimals, known_at) as decimals,
            max(known_at) as known_at
        from raw.observation where {where}
        group by series_id, period
    )"""


def selects(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """The statements of `sql`, one or more; raises duckdb.Error if it cannot be parsed, InvalidQuery for no select."""
    statements = connection.extract_statements(sql)
    others = [kind for statement in statements if (kind := _kind(statement)) != "select"]
    if others or not statements:
        raise InvalidQuery(f"a select is expected, not {', '.join(others) or 'nothing'}")
    return [str(statement.query).strip().rstrip(";") for statement in statements]


def one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """`sql` as one select; raises duckdb.Error if it cannot be parsed, InvalidQuery if it is anything else."""
    found = selects(connection, sql)
    if len(found) > 1:
        raise InvalidQuery(f"one select is expected, not {len(found)}")
    return found[0]


def _kind(statement: duckdb.Statement) -> str:
    try:
        name = str(statement.type.name).lower()
    except ValueError:  # DuckDB's Python module does not name every type
        return "another statement"
    return "pivot without its values" if name == "multi" else name


def quoted(text: object) -> str:
    return str(text).replace("'", "''")
