"""Queries, appends and transactions on a connection, and read-only connections to the published file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import text
from pipelines.errors import InvalidQuery
from pipelines.settings import Settings

log = text.logger("metals.warehouse")

_NO_EXTENSIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


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


@contextlib.contextmanager
def reader(settings: Settings, path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only; never waits for a writer."""
    with contextlib.closing(duckdb.connect(str(path or settings.published_path), read_only=True)) as connection:
        yield connection


@contextlib.contextmanager
def locked_reader(settings: Settings, writes: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file for a user's own queries: nothing else can be read, written, attached, loaded or set.

    `writes` is the one file that `copy` may write.
    """
    path = str(settings.published_path)
    with contextlib.closing(duckdb.connect(path, read_only=True, config=_NO_EXTENSIONS)) as connection:
        if writes is not None:
            connection.execute(f"set allowed_paths = ['{quoted(writes)}']")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


def one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """`sql` as one select; raises duckdb.Error if it cannot be parsed, InvalidQuery if it is anything else."""
    statements = connection.extract_statements(sql)
    kinds = [_kind(statement) for statement in statements]
    if kinds != ["select"]:
        raise InvalidQuery(f"one select is expected, not {', '.join(kinds) or 'nothing'}")
    return str(statements[0].query).strip().rstrip(";")


def _kind(statement: duckdb.Statement) -> str:
    try:
        name = str(statement.type.name).lower()
    except ValueError:  # DuckDB's Python module does not name every type
        return "another statement"
    return "pivot without its values" if name == "multi" else name


@contextlib.contextmanager
def last_published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The published file, read-only, if all its rows can be read; otherwise None, and the reason is logged."""
    connection = None
    if settings.published_path.exists():
        try:
            connection = duckdb.connect(str(settings.published_path), read_only=True)
            for (table,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'main' and not internal"
            ).fetchall():
                connection.execute(f'select bit_xor(hash(t)) from main."{table}" as t').fetchall()
        except duckdb.Error as e:
            log.error("the published file cannot be read (%s): the build replaces it", str(e).splitlines()[0])
            if connection is not None:
                connection.close()
            connection = None
    try:
        yield connection
    finally:
        if connection is not None:
            connection.close()


def quoted(text: object) -> str:
    return str(text).replace("'", "''")
