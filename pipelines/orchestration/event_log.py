"""Dagster's event log in SQLite, written without a connection, a schema look-up and a sync of the disk for each event.

What is logged and how it is read is Dagster's own; only how the database is reached differs.

Tried on 2026-11-29 against Dagster's two storages in SQLite, 180 assets and 360 checks in one step (1,629 events): its
default (a database for each run, and an index) takes 32 s of CPU for the run, the consolidated one, which Dagster
itself keeps for tests, 27 s, this class 9 s. Most of the difference is a connection and a sync for each event. It rests
on the consolidated one for its schema and queries; a test reads back with Dagster's own class what this one wrote, so
an upgrade that changes either fails there.
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
    """Dagster's consolidated event log over connections that are kept, with one transaction an event or batch.

    With a write-ahead log and `synchronous = normal` a killed run loses nothing that was logged; a power cut may lose
    the last events, never the database. The log tells of runs; figures are in the warehouse, which is synced.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[int, db.Engine] = {}  # by process: a connection does not survive a fork
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
            # Lent for one transaction; a pool by thread would close those of threads beyond its size while in use.
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
        """A connection in a transaction; inside another one of the same thread, that one."""
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

    # Tables and columns come with upgrades of Dagster and never go: what was seen once is there.

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: db.Connection, column_name: str) -> bool:
        if column_name not in self._asset_key_columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._asset_key_columns.add(column_name)
        return column_name in self._asset_key_columns
