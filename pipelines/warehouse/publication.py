"""The atomic swap from the build file to the published file."""

from __future__ import annotations

import contextlib
import os
import shutil
from datetime import UTC, datetime, timedelta

import duckdb

from pipelines import columns, text
from pipelines.settings import Settings
from pipelines.warehouse.build import exclusive, killed, writer
from pipelines.warehouse.files import remove_parts, replacing
from pipelines.warehouse.sql import NO_PROGRESS_BAR

log = text.logger("metals.warehouse")


WORK_KEPT_DAYS = 30


def publish(settings: Settings) -> None:
    """Replace the published file atomically by the build, without anything that became known after the as-of date.

    The build is closed, copied beside the target, pruned, synced and renamed over it: a reader keeps the file it
    opened, a new reader opens the new one, and a kill at any point leaves the old one.
    """
    # The lock is held to the end: another run's publication would take this one's copy for a leftover.
    with exclusive(settings):
        if settings.build_path.with_name(settings.build_path.name + ".wal").exists():
            with writer(settings):  # checkpoints what a killed run left in the write-ahead log
                pass
        _publish(settings)


def hold_back(settings: Settings, why: str) -> None:
    """Record why the build is not published; the next publication removes the record."""
    said = f"{settings.clock():%Y-%m-%d %H:%M} UTC: {why}\n"
    settings.held_back_path.parent.mkdir(parents=True, exist_ok=True)
    settings.held_back_path.write_text(said, encoding="utf-8")


def held_back(settings: Settings) -> str | None:
    """Why the last build was not published; None if it was, or if there is none."""
    if began := killed(settings):
        return f"{began}: the run that began then was killed, or the machine went down; the next run continues"
    try:
        return settings.held_back_path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _publish(settings: Settings) -> None:
    link, as_of = settings.published_path, settings.as_of_date()
    target = link.resolve()
    for folder in (link.parent, target.parent):
        folder.mkdir(parents=True, exist_ok=True)
    remove_parts(target)
    with replacing(target) as part:
        shutil.copyfile(settings.build_path, part)
        end = datetime.combine(as_of + timedelta(days=1), datetime.min.time())
        with contextlib.closing(duckdb.connect(str(part))) as connection:
            connection.execute(NO_PROGRESS_BAR)
            _prune(connection, end)
        part.chmod(0o644)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        # A write-ahead log left by someone who opened the published file for writing would be applied to the new file.
        for path in (link, target):
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _prune(connection: duckdb.DuckDBPyConnection, end: datetime) -> None:
    """Delete the raw rows that became known at `end` or later.

    Views need nothing: DuckDB stores them without the name of their own database, which is that of the file.
    """
    for table, column in (
        *((table, "known_at") for table in columns.RAW),
        ("retrieval", "checked_at"),
        ("live_check", "checked_at"),
        ("coverage", "retrieved_at"),
        ("quarantine", "quarantined_at"),
        ("bulk_filing_fact", "known_at"),
        ("bulk_filer", "retrieved_at"),
        ("known_at_change", "changed_at"),
        ("claim_history", "as_of"),
        ("claim_evidence_history", "as_of"),
        ("ppi_nowcast_history", "as_of"),
        ("catalog_correction", "known_on"),
        ("catalog_record_correction", "known_on"),
        ("catalog_release", "released_on"),
    ):
        connection.execute(f"delete from raw.{table} where {column} >= ?", [end])
    # A payload fetched later may contain rows that were known by then (filed, or dated by publication lag).
    still_named = " union ".join(
        f"select payload_id from raw.{table}" for table in (*columns.RAW, "coverage", "bulk_filing_fact")
    )
    connection.execute(
        f"""
        delete from raw.payload where payload_id not in (
            {still_named} union select payload_id from raw.retrieval where payload_id is not null
        )
        """
    )
    connection.execute("checkpoint")


def prune(settings: Settings) -> list[str]:
    """Remove temporary files of runs that are older than WORK_KEPT_DAYS; return their names.

    These are builds that were set aside and build folders of as-of runs. Published as-of files stay until the user
    removes them.
    """
    folder = settings.warehouse_dir / "build"
    oldest = (settings.clock() - timedelta(days=WORK_KEPT_DAYS)).replace(tzinfo=UTC).timestamp()
    old = [
        path
        for pattern in ("build.unreadable-*", "build.ahead-*", "as_of_*")
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
