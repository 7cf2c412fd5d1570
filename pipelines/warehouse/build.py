"""The build file: its lock, the one writing connection, and recovery from a damaged file."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from pipelines import text
from pipelines.errors import WarehouseBusy
from pipelines.settings import Settings
from pipelines.warehouse.files import acquire, lock_on, locks_refused, refusal_in
from pipelines.warehouse.sql import NO_PROGRESS_BAR, quoted
from pipelines.warehouse.tables import TABLES, define_tables

log = text.logger("metals.warehouse")

# Readable by every DuckDB since 1.2 (February 2025): users' command-line clients lag the library.
STORAGE_VERSION = "v1.2.0"


# Exceptions that a damaged file raises, and messages of the same types that have other causes.
_NO_DAMAGE = (
    "No space left",
    "Permission denied",
    "Read-only file system",
    "Could not set lock",
    "Too many open files",
)
_UNREADABLE = (duckdb.IOException, duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException)


def _lock(settings: Settings) -> FileLock:
    settings.lock_path.parent.mkdir(parents=True, exist_ok=True)
    return lock_on(settings.lock_path)  # a run that holds it can take it again in a step


@contextlib.contextmanager
def exclusive(settings: Settings) -> Iterator[None]:
    """Hold the lock on the build; raises WarehouseBusy after waiting for `lock_wait_s`, or LocksRefused."""
    lock = _lock(settings)
    try:
        try:
            acquire(lock, 0)
        except Timeout:
            log.warning("another run is active: waiting for it, %.0f s at most", settings.lock_wait_s)
            acquire(lock, settings.lock_wait_s)
    except Timeout:
        raise WarehouseBusy(
            f"another run has held {settings.lock_path} for {settings.lock_wait_s:.0f} s",
            kept="the published file",
            todo="wait for that run to end, or look at it in the Dagster UI",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def marked_as_running(settings: Settings) -> Iterator[None]:
    """Leaves the time at which a run began if its process is killed; a read-only folder or full disk leaves nothing."""
    with contextlib.suppress(OSError):
        settings.running_path.write_text(f"{settings.clock():%Y-%m-%d %H:%M} UTC", encoding="utf-8")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            settings.running_path.unlink(missing_ok=True)


def killed(settings: Settings) -> str | None:
    """When a run began that has not ended and is not active; None if there is none."""
    try:
        began = settings.running_path.read_text(encoding="utf-8")
        lock_on(settings.lock_path).acquire(timeout=0).lock.release()
    except OSError:  # a Timeout is one
        return None
    return began


@contextlib.contextmanager
def writer(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection to the build file, which is created with its raw tables if it does not exist.

    A build file that cannot be opened is set aside and replaced by a new one, which is reloaded from landing and the
    bundle.
    """
    with exclusive(settings):
        path = settings.build_path
        if not path.exists():
            create(path)
        try:
            connection = duckdb.connect(str(path))
        except duckdb.Error as e:  # a wrong checksum raises this base class
            if refused := refusal_in(e):
                raise locks_refused(path.parent, refused) from None
            if "Could not set lock" in str(e):
                raise WarehouseBusy(
                    f"another program holds {path} ({str(e).splitlines()[0]})",
                    kept="the build and the published file",
                    todo="close that program; query the published file instead of the build",
                ) from None
            if not _is_damage(e):
                raise
            _set_aside(settings, e)
            create(path)
            connection = duckdb.connect(str(path))
        with contextlib.closing(connection):
            connection.execute(NO_PROGRESS_BAR)
            have = set(
                connection.execute(
                    "select table_name, column_name from duckdb_columns() where schema_name = 'raw'"
                ).fetchall()
            )
            if not {(t.name, c.name) for t in TABLES for c in t.columns} <= have:
                define_tables(connection)  # a build of an earlier version: new tables and columns are added
            yield connection


def _is_damage(error: duckdb.Error) -> bool:
    """Whether an error means that the file is damaged, and not, for instance, a full disk or a missing permission."""
    said = str(error)
    if any(words in said for words in _NO_DAMAGE):
        return False
    return isinstance(error, _UNREADABLE) or "Corrupt" in said


def _set_aside(settings: Settings, error: duckdb.Error) -> None:
    said = str(error).splitlines()[0]
    aside = set_aside(settings, "unreadable")
    log.error("the build file cannot be read (%s): set aside as %s, rebuilt from landing", said, aside)


def set_aside(settings: Settings, why: str) -> str:
    """Rename the build, which the next run makes again from landing; returns its new name, which says `why`."""
    path = settings.build_path
    aside = path.with_name(f"build.{why}-{settings.clock():%Y%m%dT%H%M%S}.duckdb")
    path.replace(aside)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    return aside.name


def verify_build(settings: Settings) -> None:
    """Read every row of the build once; a file with damaged rows is set aside like one that does not open.

    Runs at the start of each run: otherwise, damage would stop this and every later run at the same place, or be
    published in a model that was kept.
    """
    if not settings.build_path.exists():
        return
    with exclusive(settings):
        try:
            with writer(settings) as connection:
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables() "
                    "where not internal and database_name = current_database()"
                ).fetchall():
                    connection.execute(f'select bit_xor(hash(t)) from "{schema}"."{table}" as t').fetchall()
        except duckdb.Error as e:
            if not _is_damage(e):
                raise
            _set_aside(settings, e)


def create(path: Path) -> None:
    """Create a warehouse file with empty raw tables and their comments, readable by older DuckDB clients."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*.part*"):
        leftover.unlink()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute(f"attach '{quoted(part)}' as fresh (storage_version '{STORAGE_VERSION}')")
        connection.execute("use fresh")
        define_tables(connection)
        connection.execute("use memory")
        connection.execute("detach fresh")
    part.replace(path)  # a killed process leaves no file without tables


def scratch() -> duckdb.DuckDBPyConnection:
    """An in-memory warehouse with the raw tables: for compiling the bundle, trying a series out, and tests."""
    connection = duckdb.connect()
    define_tables(connection, commented=False)
    return connection


def prepare(settings: Settings) -> None:
    """Start an as-of build from a copy of the daily build's raw rows, in a file of its own."""
    if settings.as_of is None:
        return
    daily = settings.model_copy(update={"as_of": None})
    if not daily.build_path.exists():
        return
    with exclusive(settings):
        settings.build_path.parent.mkdir(parents=True, exist_ok=True)
        part = settings.build_path.with_suffix(".part")
        shutil.copyfile(daily.build_path, part)
        part.replace(settings.build_path)
