"""Read-only connections to the published file, also while another program holds it or has written beside it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb

from pipelines import text
from pipelines.errors import PublishedUnreadable
from pipelines.settings import Settings
from pipelines.warehouse.files import locks_refused, refusal_in
from pipelines.warehouse.sql import NO_PROGRESS_BAR, one, quoted

log = text.logger("metals.warehouse")

_NO_EXTENSIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextlib.contextmanager
def reader(settings: Settings, path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only; never waits for a writer. Raises PublishedUnreadable if it cannot be opened."""
    with _opened(path or settings.published_path) as (connection, _):
        yield connection


def as_of(connection: duckdb.DuckDBPyConnection) -> date | None:
    """The as-of date of a published file: that of its last build, which is an earlier one if the clock was set back."""
    row = one(connection, "select as_of from raw.build where succeeded order by rowid desc limit 1")
    return row[0] if row else None


@contextlib.contextmanager
def locked_reader(settings: Settings, writes: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file for a user's own queries: nothing else can be read, written, attached, loaded or set.

    `writes` is the one file that `copy` may write.
    """
    with _opened(settings.published_path, _NO_EXTENSIONS) as (connection, _):
        if writes is not None:
            connection.execute(f"set allowed_paths = ['{quoted(writes)}']")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


@contextlib.contextmanager
def for_models(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with the published file attached, read-only, as `build`: the name it has in the models."""
    with _opened(settings.published_path) as (connection, path):
        connection.close()
        with duckdb.connect() as memory:
            memory.execute(f"attach '{quoted(path)}' as build (read_only)")
            memory.execute("use build")
            yield memory


@contextlib.contextmanager
def last_published(settings: Settings) -> Iterator[Path | None]:
    """A file with the published tables, to be opened read-only, if all their rows can be read.

    Otherwise None, and the reason is logged.
    """
    with contextlib.ExitStack() as stack:
        path = None
        if settings.published_path.exists():
            try:
                connection, path = stack.enter_context(_opened(settings.published_path))
                for (table,) in connection.execute(
                    "select table_name from duckdb_tables() where schema_name = 'main' and not internal"
                ).fetchall():
                    connection.execute(f'select bit_xor(hash(t)) from main."{table}" as t').fetchall()
                connection.close()
            except (PublishedUnreadable, duckdb.Error) as e:
                log.error("the published file cannot be read: %s", str(e).splitlines()[0])
                path = None
        yield path


@contextlib.contextmanager
def _opened(
    path: Path, config: Mapping[str, str | bool | int | float | list[str]] | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection to the file at `path` as it was published, and the file that was opened: that one, or a copy.

    A program that has the file open for writing locks it, and its write-ahead log beside it holds changes that were
    never published, or are of a file that has been replaced since. Neither is in a copy of the file alone.
    """

    def connect(file: Path) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(file), read_only=True, config=dict(config or {}))
        connection.execute(NO_PROGRESS_BAR)
        return connection

    with contextlib.ExitStack() as stack:
        try:
            try:
                if any(p.with_name(f"{p.name}.wal").exists() for p in (path, path.resolve())):
                    raise duckdb.IOException(f"there is a write-ahead log beside {path}")
                connection = connect(path)
            except duckdb.IOException as error:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="metals-"))
                copy = Path(folder) / path.name
                shutil.copyfile(path, copy)
                connection = connect(copy)
                log.warning(
                    "another program has %s open for writing, or left its log beside it, or its file system has no "
                    "locks: a copy is read (%s)",
                    path.name,
                    str(error).splitlines()[0],
                )
                path = copy
        except (duckdb.Error, OSError) as error:
            if refused := refusal_in(error):
                raise locks_refused(Path(tempfile.gettempdir()), refused) from None
            raise PublishedUnreadable(
                f"{path} cannot be opened: {str(error).splitlines()[0]}",
                todo="run `metals run`, which replaces a damaged file, or give this user access to it",
            ) from None
        stack.callback(connection.close)
        yield connection, path
