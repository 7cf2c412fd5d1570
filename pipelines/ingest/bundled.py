"""The bundled figures, which ship with the project: added to the raw tables once per bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import warehouse
from pipelines.ingest.precision import refines_sql, single_precision_sql, tolerance_sql

BUNDLED_TABLES = ("payload", "coverage", "observation", "filing_fact", "policy_document")


def bundle_id(directory: Path) -> str | None:
    """SHA-256 over the bundled files, or None if there is no bundle."""
    files = sorted(directory.glob("*.parquet"))
    if not files:
        return None
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


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
    """
    identity = bundle_id(directory)
    if identity is None or warehouse.one(connection, "select 1 from raw.bundle where bundle_id = ?", [identity]):
        return 0
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
