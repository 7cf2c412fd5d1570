"""Loading of landed payloads into the raw tables: parse, validate against the contract, write only what changed.

One transaction per payload. `raw.coverage` and `raw.quarantine` record what it added and lost, and the rejected rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import duckdb
import polars as pl

from pipelines import contracts, text, warehouse
from pipelines.catalog import Catalog, Source
from pipelines.errors import BadPayload, ContractBreach, LandingUnreadable, MetalsError, PayloadNotRead
from pipelines.ingest.observations import (
    held_against_known,
    observation_frame,
    without_unfinished,
    write_observations,
)
from pipelines.ingest.payload import Payload, with_retrieval_day
from pipelines.ingest.records import RECORD_KINDS, RecordKind, by_company, write_records
from pipelines.landing import Landing, Retrieval
from pipelines.landing.journal import BadLine
from pipelines.settings import Settings
from pipelines.sources import Parsed, SourceModule
from pipelines.text import redact

log = text.logger("metals.ingest")


FEW_ROWS = 10
PATIENCE = timedelta(days=3)  # a response newer by this much no longer waits behind one whose parsing times out

# A full disk, a damaged file, lack of memory: if these were recorded as the payload's fault, its rows would be lost.
NOT_THE_PAYLOADS_FAULT = (
    OSError,
    MemoryError,
    duckdb.OperationalError,
    duckdb.InternalError,
    duckdb.FatalException,
)


@dataclass
class Report:
    """The result of loading a source's payloads."""

    rows_added: int = 0
    rows_changed: int = 0
    rows_refined: int = 0
    rows_quarantined: int = 0
    payloads: int = 0
    refused: list[str] = field(default_factory=list)
    without_rows: list[str] = field(default_factory=list)


def load_source(
    connection: duckdb.DuckDBPyConnection, source: Source, module: SourceModule, catalog: Catalog, landing: Landing
) -> Report:
    """Load every landed payload of `source` that is not in the raw tables yet, oldest first.

    A payload that cannot be parsed or breaks its contract is refused as a whole and reported; the others are loaded,
    and the last good data stays. A payload's rows and the record of its loading are one transaction. A payload that is
    not in landing, or whose parsing times out, waits for the next run, and so do later payloads of the same key; it is
    refused if it has waited before and a payload at least PATIENCE newer is waiting behind it. One that is there and
    cannot be read waits for as long as that lasts.
    """
    waited = connection.execute(
        "delete from raw.retrieval where source_id = ? and outcome = 'waiting' returning request_key, checked_at",
        [source.id],
    ).fetchall()
    done = {
        (key, at)
        for key, at in connection.execute(
            "select request_key, checked_at from raw.retrieval where source_id = ?", [source.id]
        ).fetchall()
    }
    report, waiting = Report(), set()
    lines = landing.lines(source.id)
    record_bad_lines(connection, source.id, lines.bad)
    retrievals = _with_lost_answers(sorted(lines.records, key=lambda c: c.checked_at))
    newest = {retrieval.key: retrieval.checked_at for retrieval in retrievals if retrieval.outcome == "fresh"}
    for retrieval in retrievals:
        if (retrieval.key, retrieval.checked_at) in done or retrieval.key in waiting:
            continue
        if retrieval.outcome != "fresh" or not retrieval.payload_id:
            _record_retrieval(connection, retrieval)
            continue
        try:
            with warehouse.transaction(connection):
                payload = Payload(
                    retrieval.payload_id,
                    retrieval.key,
                    retrieval.checked_at,
                    landing.get(retrieval.payload_id),
                    retrieval.url,
                    retrieval.status,
                    retrieval.content_type,
                )
                breach = _load(connection, payload, source, module, catalog, report)
                refused = _said(breach) if breach else None
                _record_retrieval(
                    connection, replace(retrieval, outcome="refused", error=refused) if refused else retrieval
                )
        except NOT_THE_PAYLOADS_FAULT:
            raise  # not recorded, so that the next run loads it
        except PayloadNotRead as caught:
            refused = _said(caught)
            tried = (
                (retrieval.key, retrieval.checked_at) in waited
                and newest[retrieval.key] - retrieval.checked_at >= PATIENCE
                and not isinstance(caught, LandingUnreadable)
            )
            outcome = "refused" if tried else "waiting"
            _record_retrieval(connection, replace(retrieval, outcome=outcome, error=refused))
            if not tried:
                waiting.add(retrieval.key)
        except Exception as caught:  # noqa: BLE001 - a fault of a payload or its parser stops that payload alone
            refused = _said(caught)
            _record_retrieval(connection, replace(retrieval, outcome="refused", error=refused))
        if refused:
            report.refused.append(refused)
            log.warning("%s", refused)
    return report


def refused_payloads(settings: Settings) -> frozenset[str]:
    """Landed payloads that were refused and of which nothing is loaded."""
    if not settings.build_path.exists():
        return frozenset()
    with warehouse.writer(settings) as connection:
        rows = connection.execute(
            """
            select distinct payload_id from raw.retrieval
            where outcome = 'refused' and payload_id not in (select payload_id from raw.payload)
            """
        ).fetchall()
    return frozenset(payload_id for (payload_id,) in rows)


def _said(error: Exception) -> str:
    return redact(str(error) if isinstance(error, MetalsError) else f"{type(error).__name__}: {error}")


def load_payload(
    connection: duckdb.DuckDBPyConnection,
    payload: Payload,
    source: Source,
    module: SourceModule,
    catalog: Catalog,
    report: Report,
) -> None:
    """Parse one payload, validate it against its contracts and write what it changes, in one transaction.

    Raises BadPayload (unexpected format), and writes nothing, or ContractBreach (too many bad rows), and writes only
    the quarantined rows.
    """
    with warehouse.transaction(connection):
        breach = _load(connection, payload, source, module, catalog, report)
    if breach:
        raise breach


def _load(
    connection: duckdb.DuckDBPyConnection,
    payload: Payload,
    source: Source,
    module: SourceModule,
    catalog: Catalog,
    report: Report,
) -> ContractBreach | None:
    """`load_payload` inside the caller's transaction; a breach is returned, so that its quarantined rows are kept."""
    try:
        parsed = without_unfinished(module.parse(payload.body, payload.key, catalog), payload, source, catalog)
    except MetalsError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the system, not of an archive's content
            raise PayloadNotRead(
                f"not read on this machine ({error.strerror})", source=source.id, row=payload.key
            ) from error
        raise BadPayload(
            f"could not be parsed ({type(error).__name__}: {error})",
            source=source.id,
            row=payload.key,
            kept="the last good data",
            todo="check whether the publisher changed its format",
        ) from error

    verdicts = judged(parsed, payload, catalog)
    observations, earlier, refused_whole = held_against_known(
        connection, verdicts["observation"], payload, source, catalog, parsed.rejects.height
    )
    records = [(kind, verdicts[kind.table]) for kind in RECORD_KINDS]
    quarantined = _quarantine_frame(source, payload, parsed, observations, records, catalog)
    good = observations.good.height + sum(verdict.good.height for _, verdict in records)
    warehouse.append(connection, "quarantine", quarantined)
    if too_many_bad(quarantined.height - refused_whole, good, source):
        examples = "; ".join(f"{r['row']}: {r['reason']}" for r in quarantined.head(3).iter_rows(named=True))
        return ContractBreach(
            f"{quarantined.height} of {good + quarantined.height} rows broke the contract, more than the "
            f"{source.max_bad_share:.1%} tolerated: {examples}",
            source=source.id,
            row=payload.key,
            kept="the last good data",
            todo="see raw.quarantine",
        )
    counts = [write_observations(connection, observations.good, payload, catalog, earlier)]
    counts += [write_records(connection, kind, verdict, parsed, payload, source, catalog) for kind, verdict in records]
    covered = _coverage(pl.concat(counts, how="diagonal"), parsed, quarantined, payload, source, catalog)
    warehouse.append(connection, "coverage", covered)
    _write_payload(connection, payload, source)

    report.payloads += 1
    report.rows_added += int(covered["rows_added"].sum())
    report.rows_changed += int(covered["rows_changed"].sum())
    report.rows_refined += int(covered["rows_refined"].sum())
    report.rows_quarantined += quarantined.height
    report.without_rows += covered.filter(pl.col("rows") == 0)["series_id"].to_list()
    return None


def too_many_bad(bad: int, good: int, source: Source) -> bool:
    """Whether so many rows of a payload are bad that its format must have changed, and the good ones are not trusted.

    A share says nothing about a few figures: two labels are more than 2 % of fifty. Up to FEW_ROWS bad rows are
    tolerated as long as there are more good ones.
    """
    return bad > source.max_bad_share * (good + bad) and (bad > FEW_ROWS or bad >= good)


def judged(parsed: Parsed, payload: Payload, catalog: Catalog) -> dict[str, contracts.Verdict]:
    """The rows of a payload, split into good and bad by the contract of their raw table; by table."""
    frames = {"observation": observation_frame(parsed, payload, catalog)}
    frames |= {kind.table: with_retrieval_day(kind.rows(parsed), payload) for kind in RECORD_KINDS}
    return {table: contracts.validate(frame, table) for table, frame in frames.items()}


def _quarantine_frame(
    source: Source,
    payload: Payload,
    parsed: Parsed,
    observations: contracts.Verdict,
    records: list[tuple[RecordKind, contracts.Verdict]],
    catalog: Catalog,
) -> pl.DataFrame:
    parts = [
        parsed.rejects.select("series_id", "row", "reason"),
        observations.bad.select("series_id", pl.format("{}: {} = {}", "row", "period", "value").alias("row"), "reason"),
        *(v.bad.select(kind.series.alias("series_id"), kind.said.alias("row"), "reason") for kind, v in records),
    ]
    return pl.concat(parts).with_columns(
        by_company(catalog),
        pl.lit(source.id).alias("source_id"),
        pl.lit(payload.payload_id).alias("payload_id"),
        pl.lit(payload.retrieved_at).alias("quarantined_at"),
    )


def _coverage(
    counts: pl.DataFrame,
    parsed: Parsed,
    quarantined: pl.DataFrame,
    payload: Payload,
    source: Source,
    catalog: Catalog,
) -> pl.DataFrame:
    """Rows of raw.coverage: one for every series in the payload, with or without good rows."""
    bad = quarantined.group_by("series_id").agg(pl.len().cast(pl.Int64).alias("quarantined"))
    missing = (
        pl.DataFrame(
            {"series_id": list(parsed.missing), "missing": list(parsed.missing.values())},
            schema={"series_id": pl.String, "missing": pl.Int64},
        )
        .group_by(by_company(catalog))
        .sum()
    )
    known = set(catalog.series) | set(catalog.companies) | set(catalog.topics) | {source.id}
    without_rows = (set(bad["series_id"].drop_nulls()) | set(missing["series_id"])) & known
    names = sorted(set(counts["series_id"]) | without_rows)
    return (
        pl.DataFrame({"series_id": names}, schema={"series_id": pl.String})
        .join(counts, on="series_id", how="left", maintain_order="left")
        .join(missing, on="series_id", how="left", maintain_order="left")
        .join(bad, on="series_id", how="left", maintain_order="left")
        .with_columns(
            pl.col(
                "rows", "rows_added", "rows_changed", "rows_refined", "rows_vanished", "missing", "quarantined"
            ).fill_null(0),
            pl.lit(payload.payload_id).alias("payload_id"),
            pl.lit(source.id).alias("source_id"),
            pl.lit(payload.retrieved_at).alias("retrieved_at"),
        )
    )


def _write_payload(connection: duckdb.DuckDBPyConnection, payload: Payload, source: Source) -> None:
    connection.execute(
        """
        insert into raw.payload by name
        select
            $payload_id as payload_id, $source as source_id, $key as request_key, $url as url,
            $retrieved_at as retrieved_at, $status as status, $content_type as content_type, $bytes as bytes,
            $origin as origin, $fidelity as fidelity, $publisher as publisher, $credit as credit, $licence as licence
        where not exists (select 1 from raw.payload where payload_id = $payload_id)
        """,
        {
            "payload_id": payload.payload_id,
            "source": source.id,
            "key": payload.key,
            "url": payload.url,
            "retrieved_at": payload.retrieved_at,
            "status": payload.status,
            "content_type": payload.content_type,
            "bytes": len(payload.body),
            "origin": payload.origin,
            "fidelity": payload.fidelity,
            "publisher": source.publisher,
            "credit": source.credit,
            "licence": source.licence,
        },
    )


def _with_lost_answers(retrievals: list[Retrieval]) -> list[Retrieval]:
    """`retrievals`, oldest first, where an `unchanged` one is `fresh` if the line of the answer it repeats is lost."""
    held: dict[str, str] = {}
    found = []
    for retrieval in retrievals:
        lost = retrieval.outcome == "unchanged" and held.get(retrieval.key) != retrieval.payload_id
        found.append(replace(retrieval, outcome="fresh") if lost else retrieval)
        if retrieval.payload_id:
            held[retrieval.key] = retrieval.payload_id
    return found


def record_bad_lines(connection: duckdb.DuckDBPyConnection, name: str, bad: list[BadLine]) -> None:
    """Write to raw.quarantine the lines of the journal of `name` that are set aside today, and no others."""
    connection.execute("delete from raw.quarantine where source_id = ? and payload_id is null", [name])
    for line in bad:
        connection.execute(
            "insert into raw.quarantine by name select ? as source_id, ? as row, ? as reason, ? as quarantined_at",
            [name, f"journal of {name}, line {line.number}", line.reason, line.after],
        )


def _record_retrieval(connection: duckdb.DuckDBPyConnection, retrieval: Retrieval) -> None:
    connection.execute(
        "insert into raw.retrieval values (?, ?, ?, ?, ?, ?, ?)",
        [
            retrieval.source,
            retrieval.key,
            retrieval.checked_at,
            retrieval.outcome,
            retrieval.payload_id,
            retrieval.error,
            retrieval.seconds,
        ],
    )
