"""Dagster's event log in SQLite, without opening a connection, looking up the schema and syncing the disk per event.

Content and queries of the log are Dagster's own; only the database access differs.

Measured on 2026-11-29 against Dagster's two SQLite storages, with 180 assets and 360 checks in one step (1,629 events):
the run takes 32 s of CPU with Dagster's default (a database per run, and an index), 27 s with the consolidated storage,
which Dagster reserves for tests, and 9 s with this class. Most of the difference is a connection and a sync per event.
This class inherits schema and queries from the consolidated storage; a test reads its log with Dagster's own class, so
an upgrade that changes either fails that test.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import sqlalchemy as db
from dagster import EventLogEntry
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import QueuePool


class EventLog(ConsolidatedSqliteEventLogStorage):
    """Dagster's consolidated event log over pooled connections, with one transaction per event or batch.

    With a write-ahead log and `synchronous = normal`, a killed run loses no logged event; a power failure may lose the
    last events, but not the database. The log describes runs; figures are in the warehouse, which is synced.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[int, db.Engine] = {}  # by process id: a connection does not survive a fork
        self._open = threading.local()
        self._tables: set[str] = set()
        self._asset_key_columns: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def _engine(self) -> db.Engine:
        engine = self._engines.get(os.getpid())
        if engine is None:
            # Connections are checked out per transaction: SingletonThreadPool may close connections that are in use.
            engine = create_engine(
                self._conn_string,
                poolclass=QueuePool,
                max_overflow=-1,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            db.event.listen(engine, "connect", lambda raw, _: raw.execute("pragma synchronous = normal"))
            self._engines[os.getpid()] = engine
        return engine

    @contextlib.contextmanager
    def _connect(self) -> Iterator[db.Connection]:
        """A connection in a transaction; a nested call in the same thread gets the outer connection."""
        outer: db.Connection | None = getattr(self._open, "connection", None)
        if outer is not None:
            yield outer
            return
        with self._engine().begin() as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    def store_event(self, event: EventLogEntry) -> None:
        with self._connect():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        with self._connect():
            super().store_event_batch(events)

    # Upgrades of Dagster add tables and columns and never remove them: once seen, they exist.

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: db.Connection, column_name: str) -> bool:
        if column_name not in self._asset_key_columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._asset_key_columns.add(column_name)
        return column_name in self._asset_key_columns
