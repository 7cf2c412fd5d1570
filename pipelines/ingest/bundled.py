"""The bundled figures, which ship with the project: added to the raw tables once per bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import warehouse
from pipelines.errors import BadPayload
from pipelines.ingest.precision import refines_sql, single_precision_sql, tolerance_sql

BUNDLED_TABLES = ("payload", "coverage", "observation", "filing_fact", "policy_document")


SUMS = "SHA256SUMS"  # in the format of sha256sum; ships beside the files


def seal(directory: Path) -> None:
    """Write the hashes of the bundled files, without which `load_bundle` loads none of them."""
    lines = [f"{_sha256(path)}  {path.name}\n" for path in sorted(directory.glob("*.parquet"))]
    (directory / SUMS).write_text("".join(lines), encoding="utf-8")


def _verified(directory: Path) -> None:
    """Raises BadPayload, which names the file, unless the bundled files are those of SHA256SUMS."""
    try:
        lines = (directory / SUMS).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        raise _not_as_shipped(directory / SUMS, "is missing or damaged") from None
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted({*listed, *(path.name for path in directory.glob("*.parquet"))}):
        path = directory / name
        if not path.exists():
            raise _not_as_shipped(path, f"is missing; {SUMS} names it")
        if _sha256(path) != listed.get(name):
            raise _not_as_shipped(path, f"is not the file whose SHA-256 is in {SUMS}")


def _not_as_shipped(path: Path, what: str) -> BadPayload:
    return BadPayload(
        f"bundled figures: {path} {what}",
        kept="every figure already in the warehouse",
        todo="restore the folder from the repository, or set METALS_BUNDLED_DIR to an empty one",
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_bundle(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    now: datetime,
    *,
    progress: Callable[[str], None] = lambda text: None,
) -> int:
    """Add the bundled figures to the raw tables, once per bundle; returns the number of rows added.

    Rows of a known payload are left unchanged, so a newer bundle only adds. Figures that this warehouse fetched after
    the bundle's retrieval take precedence.

    Raises BadPayload, and loads nothing, if a file is not as it was shipped.
    """
    sums = directory / SUMS
    if not sums.exists() and not any(directory.glob("*.parquet")):
        return 0
    identity = _sha256(sums) if sums.exists() else None
    if warehouse.one(connection, "select 1 from raw.bundle where bundle_id = ?", [identity]):
        return 0
    _verified(directory)
    added = 0
    with warehouse.transaction(connection):
        connection.execute("create or replace temp table known_payload as select payload_id from raw.payload")
        connection.execute("create or replace temp table known_coverage as from raw.coverage")
        for table in BUNDLED_TABLES:
            path = directory / f"{table}.parquet"
            if not path.exists():
                continue
            rows = connection.execute(
                f"""
                insert into raw.{table} by name
                select b.* {_AS_LOADED_HERE.get(table, "")} from read_parquet($path) as b {_BUNDLED_FROM.get(table, "")}
                where b.payload_id not in (select payload_id from known_payload) {_ALREADY_KNOWN.get(table, "")}
                """,
                {"path": str(path)}
                | ({"payloads": str(directory / "payload.parquet")} if table in _BUNDLED_FROM else {}),
            ).fetchall()
            added += int(rows[0][0]) if table not in ("payload", "coverage") else 0
        connection.execute("insert into raw.bundle values (?, ?)", [identity, now])
    progress(f"bundled figures: {added} rows added")
    return added


_BUNDLED_FROM = {
    "observation": "inner join read_parquet($payloads) as p on b.payload_id = p.payload_id",
}


# A bundle that is loaded after data was fetched must neither repeat nor override that data. Where the period was known
# here by then, a bundled observation is left out if its value is the same to the digits that it prints, if its date is
# only assumed, or if the series was fetched again later (that payload was compared with the rows known here, not with
# the bundle). One that only adds digits to the known figure is a refinement, as if it had been fetched.
_OF_THE_SAME_PERIOD = """
    series_id = b.series_id and period = b.period and known_at <= b.known_at
    and payload_id in (select payload_id from known_payload)
"""
_AS_LOADED_HERE = {
    "observation": f"""replace (
        case
            when exists (
                select 1 from {warehouse.newest_known(_OF_THE_SAME_PERIOD)} as o
                where {refines_sql("b.value", "b.decimals", "o.value", "o.decimals")}
            ) then 'refined' else b.known_at_basis
        end as known_at_basis
    )""",
}
_ALREADY_KNOWN = {
    "observation": f"""
        and not exists (
            select 1 from raw.observation as o
            inner join known_payload as k on o.payload_id = k.payload_id
            where o.series_id = b.series_id and o.period = b.period
                and (b.known_at_basis = 'assumed_lag' or o.known_at = b.known_at)
        )
        and not exists (
            select 1 from {warehouse.newest_known(_OF_THE_SAME_PERIOD)} as o
            where abs(b.value - o.value)
                <= {tolerance_sql("b.decimals", "o.value")} + {single_precision_sql("b.value", "b.decimals")}
                or exists (
                    select 1 from known_coverage as c
                    where c.series_id = b.series_id and c.rows > 0 and c.retrieved_at > p.retrieved_at
                        and b.period between c.first_period and c.last_period
                )
        )""",
    "filing_fact": """
        and not exists (
            select 1 from raw.filing_fact as o
            where o.cik = b.cik and o.taxonomy = b.taxonomy and o.tag = b.tag and o.unit = b.unit
                and o.period_start is not distinct from b.period_start and o.period_end = b.period_end
                and o.accession = b.accession and o.known_at = b.known_at
        )""",
    "policy_document": """
        and not exists (
            select 1 from raw.policy_document as o
            where o.document_number = b.document_number and o.topic = b.topic and o.known_at = b.known_at
        )""",
}
