"""The only `duckdb.connect`: the build file (one writer), the published file (read-only for everyone), and the swap.

Table definitions come from the contracts. No row is read from a publisher and no figure is computed here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandera.polars as pa
import polars as pl
from filelock import FileLock, Timeout

from pipelines import contracts
from pipelines.catalog import Catalog
from pipelines.errors import WarehouseBusy
from pipelines.settings import Settings

log = logging.getLogger("metals.warehouse")

# Readable by every DuckDB since 1.2 (February 2025): users' command-line clients lag the library.
STORAGE_VERSION = "v1.2.0"

WORK_KEPT_DAYS = 30

_SQL_TYPE = {"String": "varchar", "Float64": "double", "Int64": "bigint", "Int16": "smallint", "Date": "date"}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    name: str
    description: str
    columns: tuple[Column, ...]


def _from_contract(contract: pa.DataFrameSchema) -> tuple[Column, ...]:
    """The contract's described columns; the undescribed ones only serve its checks."""
    return tuple(
        Column(name, _SQL_TYPE[str(column.dtype)], column.description)
        for name, column in contract.columns.items()
        if column.description and name != "row"
    )


_KNOWN = (
    Column("known_at", "timestamp", "When the row became known, UTC"),
    Column("known_at_basis", "varchar", "reported, observed, or assumed_lag (period end plus publication lag)"),
    Column("payload_id", "varchar", "SHA-256 of the payload that carried it"),
)

TABLES = (
    Table(
        "observation",
        "One row per series, period and value learnt. Append-only: a row is written only when the value differs "
        "from the last known one beyond the precision that the newer payload prints.",
        _from_contract(contracts.OBSERVATION) + _KNOWN,
    ),
    Table(
        "filing_fact",
        "One row per XBRL fact and filing, as the SEC serves it. Append-only.",
        _from_contract(contracts.FILING_FACT) + _KNOWN,
    ),
    Table(
        "filing",
        "One row per filing listed in the SEC's index of a filer, and version of that line. Append-only.",
        _from_contract(contracts.FILING) + _KNOWN,
    ),
    Table(
        "policy_document",
        "One row per Federal Register document, topic and version learnt. Append-only.",
        _from_contract(contracts.POLICY_DOCUMENT) + _KNOWN,
    ),
    Table(
        "tariff_release",
        "One row per release of the Harmonized Tariff Schedule and version of its line in the list. Append-only.",
        _from_contract(contracts.TARIFF_RELEASE) + _KNOWN,
    ),
    Table(
        "bulk_filing_fact",
        "One row per fact of capital expenditure and filing, of every filer in the SEC's bulk file; empty without "
        "`metals backfill sec`.",
        _from_contract(contracts.FILING_FACT) + _KNOWN,
    ),
    Table(
        "bulk_filer",
        "One row per filer in the SEC's bulk file, with what became of its facts; empty without `metals backfill sec`.",
        (
            Column("cik", "bigint", "Central Index Key of the filer"),
            Column("name", "varchar", "Name of the filer"),
            Column("sic", "varchar", "Industry of the filer at the time of the backfill (SIC code)"),
            Column("sic_description", "varchar", "Industry in words"),
            Column("sic_missing_reason", "varchar", "Why there is no industry; null where there is one"),
            Column("facts", "bigint", "Facts stored in Parquet, of every tag"),
            Column("rejected", "bigint", "Facts that could not be read or broke the contract"),
            Column("missing", "bigint", "Facts without a value"),
            Column("refused", "varchar", "Why none of the filer's facts is stored; null where they are"),
            Column("retrieved_at", "timestamp", "When the backfill of this file began, UTC"),
            Column("payload_id", "varchar", "SHA-256 of the bulk file"),
        ),
    ),
    Table(
        "payload",
        "One row per publisher's response whose rows are in the warehouse.",
        (
            Column("payload_id", "varchar", "SHA-256 of the bytes"),
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("request_key", "varchar", "What was asked for"),
            Column("url", "varchar", "Address it came from, without secrets"),
            Column("retrieved_at", "timestamp", "When it was first fetched, UTC"),
            Column("status", "smallint", "HTTP status"),
            Column("content_type", "varchar", "Content-Type header"),
            Column("bytes", "bigint", "Size in bytes"),
            Column("origin", "varchar", "fetched by this warehouse, bundled with the project, or backfilled"),
            Column("fidelity", "varchar", "How close the bytes are to the publisher's own"),
            Column("publisher", "varchar", "Publisher of the figures"),
            Column("credit", "varchar", "Credit line"),
            Column("licence", "varchar", "Licence or terms"),
        ),
    ),
    Table(
        "retrieval",
        "One row per time a publisher was asked for something, with what came of it.",
        (
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("request_key", "varchar", "What was asked for"),
            Column("checked_at", "timestamp", "When, UTC"),
            Column(
                "outcome",
                "varchar",
                "fresh, unchanged, failed (not reached or not what was asked), refused (contract), waiting (not read "
                "in time: the next run tries again)",
            ),
            Column("payload_id", "varchar", "SHA-256 of the answer"),
            Column("error", "varchar", "Why it failed, was refused or waits"),
            Column("seconds", "double", "Duration of the request in seconds"),
        ),
    ),
    Table(
        "coverage",
        "One row per payload and series: what the payload held of it, and what that changed.",
        (
            Column("payload_id", "varchar", "SHA-256 of the payload"),
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("series_id", "varchar", "Series of the catalogue (or company, topic, or source of records)"),
            Column("retrieved_at", "timestamp", "When the payload was fetched, UTC"),
            Column("rows", "bigint", "Good rows in the payload"),
            Column("missing", "bigint", "Cells that hold a missing-value marker"),
            Column("quarantined", "bigint", "Rows sent to quarantine"),
            Column("first_period", "date", "First period in the payload"),
            Column("last_period", "date", "Last period in the payload"),
            Column("rows_added", "bigint", "Rows of periods not known before"),
            Column("rows_changed", "bigint", "Rows that differ from what was known"),
            Column(
                "rows_vanished", "bigint", "Periods known before, inside the payload's range, that it no longer holds"
            ),
        ),
    ),
    Table(
        "quarantine",
        "One row per row that could not be read or broke its contract. Nothing is dropped silently.",
        (
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("payload_id", "varchar", "SHA-256 of the payload"),
            Column("series_id", "varchar", "Series of the catalogue (or company, topic, or source of records)"),
            Column("row", "varchar", "Where it stands in the payload, and what it holds"),
            Column("reason", "varchar", "Why it is not in the warehouse"),
            Column("quarantined_at", "timestamp", "When, UTC"),
        ),
    ),
    Table(
        "build",
        "One row per build of the models: when, for which as-of date, and whether it was completed.",
        (
            Column("build_id", "varchar", "Identity of the build"),
            Column("as_of", "date", "What was known by the end of this day was used"),
            Column("started_at", "timestamp", "Start, UTC"),
            Column("finished_at", "timestamp", "End, UTC; null while running or after a kill"),
            Column("succeeded", "boolean", "Whether every model and blocking test passed"),
            Column("selection", "varchar", "Which models; empty for all"),
        ),
    ),
    Table(
        "model_state",
        "One row per model or seed that a later build may keep: what it was built from, and since when it stands.",
        (
            Column("model", "varchar", "Model or seed"),
            Column("key", "varchar", "Identity of everything that decides its rows; while it holds, so do they"),
            Column("content", "varchar", "Identity of its rows (of its text, for a view) as they were built"),
            Column("build_id", "varchar", "Build that made it"),
            Column("built_at", "timestamp", "End of that build, UTC"),
        ),
    ),
    Table(
        "claim_history",
        "One row per claim and past month end: the verdict from what was known by that day, under the present rules.",
        (
            Column("as_of", "date", "Month end the verdict is of"),
            Column("claim_id", "varchar", "Claim"),
            Column("verdict", "varchar", "Verdict"),
            Column("because", "varchar", "The evidence in sentences"),
            Column("decisive_indicators", "integer", "Decisive indicators of the rule"),
            Column("decisive_supporting", "integer", "Of these, those that support"),
            Column("decisive_contradicting", "integer", "Of these, those that contradict"),
            Column("decisive_missing_or_stale", "integer", "Of these, those without a figure or with too old a one"),
            Column("known_at", "timestamp", "When the newest evidence became known, UTC"),
            Column(
                "fingerprint", "varchar", "Identity of the rules and of what was known; while it holds, so does the row"
            ),
        ),
    ),
    Table(
        "claim_evidence_history",
        "One row per claim, indicator and past month end: the evidence behind claim_history.",
        (
            Column("as_of", "date", "Month end"),
            Column("claim_id", "varchar", "Claim"),
            Column("indicator", "varchar", "Indicator"),
            Column("role", "varchar", "decisive or supporting"),
            Column("value", "double", "Value"),
            Column("unit", "varchar", "Unit"),
            Column("period", "date", "First day of the period the value is of"),
            Column("known_at", "timestamp", "When it became known, UTC"),
            Column("reading", "varchar", "supports, contradicts, neutral or missing"),
            Column("is_stale", "boolean", "Whether the value was too old to count"),
            Column("finding", "varchar", "The value in a sentence"),
        ),
    ),
    Table(
        "bundle",
        "One row per bundle of figures that was loaded into this warehouse.",
        (
            Column("bundle_id", "varchar", "SHA-256 over the bundled files"),
            Column("loaded_at", "timestamp", "When, UTC"),
        ),
    ),
    Table(
        "catalog_source",
        "One row per publisher or channel of the catalogue.",
        (
            Column("source_id", "varchar", "Identity"),
            Column("title", "varchar", "Title"),
            Column("publisher", "varchar", "Publisher"),
            Column("group_name", "varchar", "Group in the asset graph"),
            Column("homepage", "varchar", "Page for people"),
            Column("licence", "varchar", "Licence"),
            Column("licence_class", "varchar", "What the terms allow, by class"),
            Column("credit", "varchar", "Credit line"),
            Column("terms", "varchar", "What the terms mean for a user"),
            Column("cadence_hours", "double", "Shortest time between two checks, in hours"),
            Column("unofficial", "boolean", "Whether the channel is not the publisher's own"),
            Column("description", "varchar", "Description"),
        ),
    ),
    Table(
        "catalog_series",
        "One row per series of the catalogue.",
        (
            Column("series_id", "varchar", "Identity"),
            Column("source_id", "varchar", "Source"),
            Column("title", "varchar", "Title"),
            Column("publisher", "varchar", "Office that produces the figure"),
            Column("unit", "varchar", "Unit as published"),
            Column("frequency", "varchar", "Frequency"),
            Column("metal_id", "varchar", "Metal, where it is about one"),
            Column("plausible_low", "double", "Lower end of the plausible range, in the unit"),
            Column("plausible_high", "double", "Upper end of the plausible range, in the unit"),
            Column("publication_lag_days", "integer", "Days from period end to publication"),
            Column("staleness_limit_days", "integer", "Longest normal age of the newest period's end, in days"),
            Column("licence", "varchar", "Licence"),
            Column("history", "varchar", "stable or revised"),
            Column("bundle", "boolean", "Whether its figures ship with the project"),
            Column("description", "varchar", "Description"),
        ),
    ),
    Table(
        "catalog_company",
        "One row per company whose filings are read.",
        (
            Column("company_id", "varchar", "Identity (ticker)"),
            Column("name", "varchar", "Name"),
            Column("role", "varchar", "hyperscaler, aluminium, lithium, copper"),
            Column("fiscal_year_end", "varchar", "End of the fiscal year, MM-DD"),
            Column("filing_lag_days", "integer", "Longest normal time from quarter end to filing, in days"),
            Column("description", "varchar", "Description"),
        ),
    ),
    Table(
        "catalog_company_tag",
        "One row per company, CIK, concept and XBRL tag, in order of preference.",
        (
            Column("company_id", "varchar", "Identity (ticker)"),
            Column("cik", "bigint", "Central Index Key"),
            Column("valid_from", "date", "First day of the CIK for this company"),
            Column("valid_to", "date", "Last day of the CIK for this company"),
            Column("concept", "varchar", "What is measured"),
            Column("taxonomy", "varchar", "Taxonomy of the tag"),
            Column("tag", "varchar", "XBRL element name"),
            Column("tag_rank", "integer", "1 is preferred"),
        ),
    ),
    Table(
        "catalog_indicator",
        "One row per indicator and series that can stand for it, in order of preference.",
        (
            Column("indicator_id", "varchar", "Identity"),
            Column("title", "varchar", "Title"),
            Column("unit", "varchar", "Unit of the indicator"),
            Column("frequency", "varchar", "Frequency"),
            Column("candidate_rank", "integer", "1 is the default, higher ones are fallbacks"),
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("factor", "double", "Brings the series to the unit and sign of the indicator"),
            Column("tolerance_pct", "double", "Largest difference between candidates, per cent of the figure"),
            Column("tolerance_absolute", "double", "Difference below which the per cent does not matter, in the unit"),
            Column("description", "varchar", "Description"),
        ),
    ),
    Table(
        "catalog_correction",
        "One row per correction of the catalogue: a figure that is published and wrong, or strange and right. "
        "Raw rows stay as published; models read them as corrected.",
        (
            Column("correction_id", "varchar", "Identity"),
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("period", "date", "First day of the reference period"),
            Column("action", "varchar", "drop, override, flag, or accept (a break with what was known is right)"),
            Column("published", "double", "What the publisher must still say for it to apply; null: nothing"),
            Column("corrected", "double", "The figure used in its place, in the unit of the series"),
            Column("known_on", "date", "Day from which it was known"),
            Column("reason", "varchar", "Why"),
            Column("reference", "varchar", "Who said so"),
        ),
    ),
    Table(
        "catalog_metal",
        "One row per metal (or bulk or energy commodity beside them).",
        (
            Column("metal_id", "varchar", "Identity"),
            Column("name", "varchar", "Name"),
            Column("symbol", "varchar", "Symbol"),
            Column("family", "varchar", "base, precious, platinum_group, battery, bulk, energy"),
            Column("description", "varchar", "Description"),
        ),
    ),
)


# What a damaged file raises, and what these types say when the file is not to blame.
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
    # One lock object per path and process: a run that already holds it may take it again in a step.
    return FileLock(settings.lock_path, is_singleton=True)


@contextlib.contextmanager
def exclusive(settings: Settings) -> Iterator[None]:
    """Hold the build against every other run; raises WarehouseBusy after `lock_wait_s`."""
    lock = _lock(settings)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another run is on: waiting for it, %.0f s at most", settings.lock_wait_s)
            lock.acquire(timeout=settings.lock_wait_s)
    except Timeout:
        raise WarehouseBusy(
            f"another run has held {settings.lock_path} for {settings.lock_wait_s:.0f} s",
            kept="the published file",
            todo="wait for that run to end, or see it in the Dagster UI",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def writer(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection to the build file, made with its raw tables if it is not there.

    A build file that cannot be opened is set aside and a new one is begun: everything in it comes from landing
    and the bundle, and is loaded again from there.
    """
    with exclusive(settings):
        path = settings.build_path
        if not path.exists():
            create(path)
        try:
            connection = duckdb.connect(str(path))
        except duckdb.Error as e:  # a broken checksum comes as this base class
            if "Could not set lock" in str(e):
                raise WarehouseBusy(
                    f"another program holds {path} ({str(e).splitlines()[0]})",
                    kept="the build and the published file",
                    todo="close that program; query the published file in place of the build",
                ) from None
            if not _is_damage(e):
                raise
            _set_aside(settings, e)
            create(path)
            connection = duckdb.connect(str(path))
        with contextlib.closing(connection):
            have = {
                n
                for (n,) in connection.execute(
                    "select table_name from duckdb_tables() where schema_name = 'raw'"
                ).fetchall()
            }
            if not {t.name for t in TABLES} <= have:
                define_tables(connection)  # a build of an earlier version: its tables stay, the new ones are added
            yield connection


def _is_damage(error: duckdb.Error) -> bool:
    """Whether a file could not be read for what it holds; a full disk or a missing right is no damage."""
    said = str(error)
    if any(words in said for words in _NO_DAMAGE):
        return False
    return isinstance(error, _UNREADABLE) or "Corrupt" in said


def _set_aside(settings: Settings, error: duckdb.Error) -> None:
    path = settings.build_path
    aside = path.with_name(f"build.unreadable-{settings.clock():%Y%m%dT%H%M%S}.duckdb")
    said = str(error).splitlines()[0]
    log.error("the build file cannot be read (%s): set aside as %s, rebuilt from landing", said, aside.name)
    path.replace(aside)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def examine(settings: Settings) -> None:
    """Read every row of the build once; a file that is damaged inside is set aside like one that does not open.

    A run begins with it: later, damage would stop the run in the middle, and every run after it at the same place, or
    be published in a model that was kept.
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
    """A new warehouse file with empty raw tables and their comments, readable by older DuckDB clients."""
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
    part.replace(path)  # a kill before this leaves no file that lacks tables


def scratch() -> duckdb.DuckDBPyConnection:
    """An in-memory warehouse with the raw tables: for compiling the bundle and for tests."""
    connection = duckdb.connect()
    define_tables(connection)
    return connection


def define_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists raw")
    for table in TABLES:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
        connection.execute(f"create table if not exists raw.{table.name} ({columns})")
        connection.execute(f"comment on table raw.{table.name} is '{quoted(table.description)}'")
        for column in table.columns:
            connection.execute(
                f"comment on column raw.{table.name}.\"{column.name}\" is '{quoted(column.description)}'"
            )


def write_catalog(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Bring the catalogue's tables to what the catalogue says now; a table that says it already is not touched."""
    frames = {
        "catalog_source": [
            {
                "source_id": s.id,
                "group_name": s.group,
                "licence_class": s.licence_class.value,
                **s.model_dump(
                    include={
                        "title",
                        "publisher",
                        "homepage",
                        "licence",
                        "credit",
                        "terms",
                        "cadence_hours",
                        "unofficial",
                        "description",
                    }
                ),
            }
            for s in catalog.sources.values()
        ],
        "catalog_series": [
            {
                "series_id": s.id,
                "source_id": s.source,
                "frequency": s.frequency.value,
                "metal_id": s.metal,
                "plausible_low": s.plausible[0],
                "plausible_high": s.plausible[1],
                "history": s.history.value,
                **s.model_dump(
                    include={
                        "title",
                        "publisher",
                        "unit",
                        "publication_lag_days",
                        "staleness_limit_days",
                        "licence",
                        "bundle",
                        "description",
                    }
                ),
            }
            for s in catalog.series.values()
        ],
        "catalog_company": [
            {
                "company_id": c.id,
                **c.model_dump(include={"name", "role", "fiscal_year_end", "filing_lag_days", "description"}),
            }
            for c in catalog.companies.values()
        ],
        "catalog_company_tag": [
            {
                "company_id": c.id,
                "cik": v.cik,
                "valid_from": v.valid_from,
                "valid_to": v.valid_to,
                "concept": concept,
                "taxonomy": c.taxonomy,
                "tag": tag,
                "tag_rank": rank,
            }
            for c in catalog.companies.values()
            for v in c.ciks
            for concept, tags in c.concepts.items()
            for rank, tag in enumerate(tags, start=1)
        ],
        "catalog_indicator": [
            {
                "indicator_id": i.id,
                "frequency": i.frequency.value,
                "candidate_rank": rank,
                "series_id": candidate.series,
                "factor": candidate.factor,
                **i.model_dump(include={"title", "unit", "tolerance_pct", "tolerance_absolute", "description"}),
            }
            for i in catalog.indicators.values()
            for rank, candidate in enumerate(i.candidates, start=1)
        ],
        "catalog_correction": [
            {
                "correction_id": c.id,
                "series_id": c.series,
                "action": c.action.value,
                "corrected": c.value,
                **c.model_dump(include={"period", "published", "known_on", "reason", "reference"}),
            }
            for c in catalog.corrections.values()
        ],
        "catalog_metal": [
            {"metal_id": m.id, **m.model_dump(include={"name", "symbol", "family", "description"})}
            for m in catalog.metals.values()
        ],
    }
    for table in TABLES:
        if table.name in frames:
            now = query(connection, f"from raw.{table.name}")
            frame = pl.DataFrame(frames[table.name], schema=now.schema)
            if not frame.equals(now):
                connection.execute(f"delete from raw.{table.name}")
                append(connection, table.name, frame)


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is written inside, or nothing of it."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # after a full disk nothing more may work; the first error is told
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
    """First row of a query, or None. Fetched whole: DuckDB refuses further work behind a half-read result."""
    rows = connection.execute(sql, parameters or []).fetchall()
    return rows[0] if rows else None


@contextlib.contextmanager
def reader(settings: Settings, path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only; never waits for a writer."""
    with contextlib.closing(duckdb.connect(str(path or settings.published_path), read_only=True)) as connection:
        yield connection


@contextlib.contextmanager
def last_published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The published file, read-only, if there is one that can be read to its last row; else None, and why is logged."""
    connection = None
    if settings.published_path.exists():
        try:
            connection = duckdb.connect(str(settings.published_path), read_only=True)
            for (table,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'main' and not internal"
            ).fetchall():
                connection.execute(f'select bit_xor(hash(t)) from main."{table}" as t').fetchall()
        except duckdb.Error as e:
            log.error("the published file cannot be read (%s): the build takes its place", str(e).splitlines()[0])
            if connection is not None:
                connection.close()
            connection = None
    try:
        yield connection
    finally:
        if connection is not None:
            connection.close()


def publish(settings: Settings) -> None:
    """Replace the published file by the build, whole or not at all, holding nothing learnt after the as-of date.

    The build is closed, copied beside the target, pruned, synced and renamed over it: a reader keeps the file it
    opened, a new reader opens the new one, a kill at any point leaves the old one.
    """
    # Held to the end: another run's publish would take this one's copy for a leftover.
    with exclusive(settings):
        if settings.build_path.with_name(settings.build_path.name + ".wal").exists():
            with writer(settings):  # what a killed run had committed is not in the file itself yet
                pass
        _publish(settings)


def _publish(settings: Settings) -> None:
    target, as_of = settings.published_path, settings.as_of_date()
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*.part*"):
        leftover.unlink()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(settings.build_path, part)
        end = datetime.combine(as_of + timedelta(days=1), datetime.min.time())
        with contextlib.closing(duckdb.connect(str(part))) as connection:
            _prune(connection, end)
        part.chmod(0o644)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        # Left by someone who opened the published file for writing: it would be taken for a part of the new one.
        target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
        part.replace(target)
    except BaseException:
        for leftover in target.parent.glob(f"{part.name}*"):  # on a full disk it would only take room
            leftover.unlink()
        raise
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _prune(connection: duckdb.DuckDBPyConnection, end: datetime) -> None:
    """Make the published views independent of the build's file name, leave out the others and raw rows learnt at `end`
    or later."""
    _detach_views(connection)
    for table, column in (
        *((table, "known_at") for table in contracts.RAW),
        ("retrieval", "checked_at"),
        ("coverage", "retrieved_at"),
        ("quarantine", "quarantined_at"),
        ("bulk_filing_fact", "known_at"),
        ("bulk_filer", "retrieved_at"),
    ):
        connection.execute(f"delete from raw.{table} where {column} >= ?", [end])
    # A payload fetched later still backs rows that were known by then (filed, or dated by publication lag).
    still_named = " union ".join(
        f"select payload_id from raw.{table}" for table in (*contracts.RAW, "coverage", "bulk_filing_fact")
    )
    connection.execute(
        f"""
        delete from raw.payload where payload_id not in (
            {still_named} union select payload_id from raw.retrieval where payload_id is not null
        )
        """
    )
    connection.execute("checkpoint")


def _detach_views(connection: duckdb.DuckDBPyConnection) -> None:
    """A view stores the database it was made in ("build"), which the published file is not called."""
    views = connection.execute(
        """
        select schema_name, view_name, sql, comment from duckdb_views()
        where not internal and database_name = current_database()
        """
    ).fetchall()
    columns = connection.execute(
        """
        select c.table_name, c.column_name, c.comment
        from duckdb_columns() as c
        inner join duckdb_views() as v
            on c.database_name = v.database_name and c.schema_name = v.schema_name and c.table_name = v.view_name
        where v.schema_name = 'main' and not v.internal and c.comment is not null
            and v.database_name = current_database()
        """
    ).fetchall()
    for schema, view, _, _ in views:
        connection.execute(f'drop view if exists "{schema}"."{view}" cascade')
    depth = {"staging": 1, "intermediate": 2, "main": 3}
    by_name = {(schema, view): (sql, comment) for schema, view, sql, comment in views}
    published, due = set(), [name for name in by_name if name[0] == "main"]
    while due:  # and the views that these read
        name = due.pop()
        published.add(name)
        sql = by_name[name][0]
        due += [n for n in by_name.keys() - published if re.search(rf'\b{n[0]}"?\."?{n[1]}\b', sql)]
    for schema, view in sorted(published, key=lambda n: depth.get(n[0], 0)):  # those that are read come first
        sql, comment = by_name[schema, view]
        connection.execute(re.sub(r'(?<![\w."])"?build"?\.(?="?[a-z])', "", sql))
        connection.execute(f'comment on view "{schema}"."{view}" is \'{quoted(comment or "")}\'')
    for view, column, comment in columns:
        connection.execute(f'comment on column "{view}"."{column}" is \'{quoted(comment)}\'')


def quoted(text: object) -> str:
    return str(text).replace("'", "''")


def prune(settings: Settings) -> list[str]:
    """Remove what a run made to work with and nobody asked to keep, once it is WORK_KEPT_DAYS old; return the names.

    Builds that were set aside, and build folders of as-of runs; their published files stay until the user removes them.
    """
    folder = settings.warehouse_dir / "build"
    oldest = (settings.clock() - timedelta(days=WORK_KEPT_DAYS)).replace(tzinfo=UTC).timestamp()
    old = [
        path
        for pattern in ("build.unreadable-*", "as_of_*")
        for path in folder.glob(pattern)
        if path.stat().st_mtime < oldest
    ]
    for path in old:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if old:
        log.info("removed from %s, older than %d days: %s", folder, WORK_KEPT_DAYS, ", ".join(p.name for p in old))
    return [path.name for path in old]


def prepare(settings: Settings) -> None:
    """For a run with an as-of date: begin from a copy of the daily build's raw rows, under a name of its own."""
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
