"""From landed bytes to the raw tables: parse, hold the contract, write only what really changed.

One transaction per payload. What a payload brought, what it lost and what was refused is counted in
`raw.coverage` and `raw.quarantine`. No network here, and no figure that models use is computed here.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from pipelines import continuity, contracts, corrections, warehouse
from pipelines.catalog import Catalog, Frequency, History, Source, period_end
from pipelines.errors import BadPayload, ContractBreach, MetalsError, PayloadNotRead
from pipelines.landing import Check, Landing, redact
from pipelines.sources import Parsed, SourceModule

log = logging.getLogger("metals.ingest")

# Half a unit of the last printed digit, and a hair more: halves are rounded either way by spreadsheets.
ROUNDING_SLACK = 1 + 1e-6
# Figures without a printed precision (binary floats, filings re-scaled from thousands) agree to this share.
RELATIVE_TOLERANCE = 1e-9

PATIENCE = timedelta(days=3)  # so much newer an answer no longer waits behind one that is not read in time

# A full disk, a damaged file, too little memory: recorded as the payload's own, its rows would be lost for good.
NOT_THE_PAYLOADS_FAULT = (
    OSError,
    MemoryError,
    duckdb.OperationalError,
    duckdb.InternalError,
    duckdb.FatalException,
)

BUNDLED_TABLES = ("payload", "coverage", "observation", "filing_fact", "policy_document")


@dataclass(frozen=True)
class Payload:
    """Bytes with their origin, ready to be parsed."""

    payload_id: str
    key: str
    retrieved_at: datetime
    body: bytes
    url: str | None = None
    status: int | None = 200
    content_type: str | None = None
    origin: str = "fetched"
    fidelity: str = "native"


@dataclass
class Report:
    """What became of a source's payloads in one load."""

    rows_added: int = 0
    rows_changed: int = 0
    rows_quarantined: int = 0
    payloads: int = 0
    refused: list[str] = field(default_factory=list)
    without_rows: list[str] = field(default_factory=list)


def load_source(
    connection: duckdb.DuckDBPyConnection, source: Source, module: SourceModule, catalog: Catalog, landing: Landing
) -> Report:
    """Load every landed payload of `source` that is not in the raw tables yet, oldest first.

    A payload that cannot be read or breaks its contract is refused whole and said; the others go on, and the last
    good data stands. What a payload brings and the record that it was loaded are one transaction: a kill leaves both
    or neither. One that could not be read in time waits, with what came after it under the same key, for the next
    run; where that came PATIENCE later and it has waited before, it is refused.
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
    checks = sorted(landing.checks(source.id), key=lambda c: c.checked_at)
    newest = {check.key: check.checked_at for check in checks if check.outcome == "fresh"}
    for check in checks:
        if (check.key, check.checked_at) in done or check.key in waiting:
            continue
        if check.outcome != "fresh" or not check.payload_id:
            _record_retrieval(connection, check)
            continue
        try:
            with warehouse.transaction(connection):
                payload = Payload(
                    check.payload_id,
                    check.key,
                    check.checked_at,
                    landing.get(check.payload_id),
                    check.url,
                    check.status,
                    check.content_type,
                )
                breach = _load(connection, payload, source, module, catalog, report)
                refused = _said(breach) if breach else None
                _record_retrieval(connection, replace(check, outcome="refused", error=refused) if refused else check)
        except NOT_THE_PAYLOADS_FAULT:
            raise  # nothing is recorded: the next run loads it
        except PayloadNotRead as caught:
            refused = _said(caught)
            tried = (check.key, check.checked_at) in waited and newest[check.key] - check.checked_at >= PATIENCE
            outcome = "refused" if tried else "waiting"
            _record_retrieval(connection, replace(check, outcome=outcome, error=refused))
            if not tried:
                waiting.add(check.key)
        except Exception as caught:  # noqa: BLE001 - a payload's fault, or its parser's, stops that payload alone
            refused = _said(caught)
            _record_retrieval(connection, replace(check, outcome="refused", error=refused))
        if refused:
            report.refused.append(refused)
            log.warning("%s", refused)
    return report


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
    """Parse one payload, hold it against its contracts and write what it changes, in one transaction.

    Raises BadPayload (not the publisher's shape) or ContractBreach (too many bad rows); either way nothing but the
    quarantined rows is written.
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
    """`load_payload` inside the caller's transaction; a breach is returned, for its quarantined rows stay."""
    try:
        parsed = module.parse(payload.body, payload.key, catalog)
    except MetalsError:
        raise
    except Exception as error:
        raise BadPayload(
            f"could not be parsed ({type(error).__name__}: {error})",
            source=source.id,
            row=payload.key,
            kept="the last good data",
            todo="see whether the publisher changed its format",
        ) from error

    verdicts = judged(parsed, payload, catalog)
    observations, earlier = _continued(
        connection, verdicts["observation"], payload, source, catalog, parsed.rejects.height
    )
    records = [(kind, verdicts[kind.table]) for kind in _KINDS_OF_RECORDS]
    quarantined = _quarantine_frame(source, payload, parsed, observations, records, catalog)
    good = observations.good.height + sum(verdict.good.height for _, verdict in records)
    warehouse.append(connection, "quarantine", quarantined)
    if quarantined.height > source.max_bad_share * (good + quarantined.height):
        examples = "; ".join(f"{r['row']}: {r['reason']}" for r in quarantined.head(3).iter_rows(named=True))
        return ContractBreach(
            f"{quarantined.height} of {good + quarantined.height} rows broke the contract, more than the "
            f"{source.max_bad_share:.1%} tolerated: {examples}",
            source=source.id,
            row=payload.key,
            kept="the last good data",
            todo="see raw.quarantine",
        )
    counts = [_write_observations(connection, observations.good, payload, catalog, earlier)]
    counts += [_write_records(connection, kind, verdict.good, payload, catalog) for kind, verdict in records]
    covered = _coverage(pl.concat(counts, how="diagonal"), parsed, quarantined, payload, source, catalog)
    warehouse.append(connection, "coverage", covered)
    _write_payload(connection, payload, source)

    report.payloads += 1
    report.rows_added += int(covered["rows_added"].sum())
    report.rows_changed += int(covered["rows_changed"].sum())
    report.rows_quarantined += quarantined.height
    report.without_rows += covered.filter(pl.col("rows") == 0)["series_id"].to_list()
    return None


def judged(parsed: Parsed, payload: Payload, catalog: Catalog) -> dict[str, contracts.Verdict]:
    """The rows of a payload split by the contract of their raw table, by the table's name."""
    frames = {"observation": _observation_frame(parsed, payload, catalog)}
    frames |= {kind.table: _dated(kind.rows(parsed), payload) for kind in _KINDS_OF_RECORDS}
    return {table: contracts.validate(frame, contracts.RAW[table]) for table, frame in frames.items()}


def _continued(
    connection: duckdb.DuckDBPyConnection,
    verdict: contracts.Verdict,
    payload: Payload,
    source: Source,
    catalog: Catalog,
    unreadable: int,
) -> tuple[contracts.Verdict, pl.DataFrame]:
    """Observations held against those known when the payload was fetched, and where earlier answers ended.

    The second frame is (series_id, last_period) of the series that answers to the same request have had. Raises
    BadPayload for an older file, unless some of its cells were `unreadable`: the newest ones may be among them. What a
    correction accepts is not held back.
    """
    good = verdict.good
    earlier = warehouse.query(connection, _EARLIER_ENDS, [source.id, payload.key, payload.retrieved_at])
    if good.is_empty():
        return verdict, earlier
    accepted = corrections.accepted(catalog, good)
    judged_here = good.filter(~pl.col("series_id").is_in(accepted))
    # What a payload holds counts, not what of it is good: a newest row that is bad makes no file older.
    held = pl.concat([judged_here, verdict.bad.select(good.columns)]).filter(~pl.col("series_id").is_in(accepted))
    ends = held.group_by("series_id").agg(pl.col("period").max().alias("last_period"))
    if (why := continuity.older(ends, earlier)) and not unreadable:
        raise BadPayload(
            why,
            source=source.id,
            row=payload.key,
            kept="the last good data",
            todo="if it was withdrawn on purpose, say so in pipelines/catalog/corrections.yaml (action accept)",
        )
    connection.register("judged", judged_here.select("series_id").unique().to_arrow())
    try:
        known = warehouse.query(connection, _KNOWN, [payload.retrieved_at])
    finally:
        connection.unregister("judged")
    never_zero = {name for name in judged_here["series_id"].unique() if catalog.series[name].plausible[0] > 0}
    breaks = continuity.reasons(judged_here, known, never_zero)
    if breaks.is_empty():
        return verdict, earlier
    row_key = ["series_id", "period"]
    return contracts.Verdict(
        good.join(breaks, on=row_key, how="anti", maintain_order="left"),
        pl.concat([verdict.bad, good.join(breaks, on=row_key, how="inner", maintain_order="left")], how="diagonal"),
    ), earlier


_EARLIER_ENDS = """
select c.series_id, max(c.last_period) as last_period
from raw.coverage as c
inner join raw.payload as p on c.payload_id = p.payload_id
where p.source_id = ? and p.request_key = ? and c.retrieved_at < ? and c.rows > 0
group by c.series_id
"""
_KNOWN = """
select o.series_id, o.period, arg_max(o.value, o.known_at) as value
from raw.observation as o
inner join judged as j on o.series_id = j.series_id
where o.known_at <= ?
group by o.series_id, o.period
"""


@dataclass(frozen=True)
class _Records:
    """Rows that say themselves what they are (filed, listed, published), beside the observations of series.

    `same` is SQL over `i` (incoming) and `p` (the newest known row of the same key): nothing changed. `known_from` is
    the column with the day on which a row that was not known before became known; none: only from when it was seen.
    """

    table: str
    rows: Callable[[Parsed], pl.DataFrame]
    series: pl.Expr  # what coverage and quarantine count by: a company (its CIK, until it is named), a topic, a source
    period: str
    same: str
    known_from: str | None
    said: pl.Expr  # a row as quarantine shows it


def _unchanged(table: str, *aside: str) -> str:
    """Every column that is stored is as it was; `aside` are not compared."""
    left_out = {"retrieved_on", "row", *contracts.key(table), *aside}
    return " and ".join(f"i.{c} is not distinct from p.{c}" for c in contracts.RAW[table].columns if c not in left_out)


_KINDS_OF_RECORDS = (
    _Records(
        table="filing_fact",
        rows=lambda parsed: parsed.filing_facts,
        series=pl.format("CIK{}", "cik"),
        period="period_end",
        same=f"abs(i.value - p.value) <= {RELATIVE_TOLERANCE} * abs(p.value)",
        known_from="filed",
        said=pl.format("{}: {} {} {} = {}", "row", "tag", "accession", "period_end", "value"),
    ),
    _Records(
        table="filing",
        rows=lambda parsed: parsed.filings,
        series=pl.format("CIK{}", "cik"),
        period="filing_date",
        # The zone of the time of acceptance changed between two pulls of the same filings.
        same=_unchanged("filing", "acceptance_datetime"),
        known_from="filing_date",
        said=pl.format("{}: {} {} of {}", "row", "form", "accession", "filing_date"),
    ),
    _Records(
        table="policy_document",
        rows=lambda parsed: parsed.policy_documents,
        series=pl.col("topic"),
        period="publication_date",
        same=_unchanged("policy_document"),
        known_from="publication_date",
        said=pl.format("{}: {}", "row", "document_number"),
    ),
    _Records(
        table="tariff_release",
        rows=lambda parsed: parsed.tariff_releases,
        series=pl.lit("usitc_hts"),
        period="release_start_date",
        same=_unchanged("tariff_release"),
        known_from=None,  # the list does not say when it first held a release
        said=pl.format("{}: {}", "row", "release_id"),
    ),
)


def _named(catalog: Catalog) -> pl.Expr:
    """`series_id` with companies by their own name; a CIK of no company stays."""
    return pl.col("series_id").replace({f"CIK{cik}": company.id for cik, company in catalog.company_by_cik.items()})


def _observation_frame(parsed: Parsed, payload: Payload, catalog: Catalog) -> pl.DataFrame:
    """The parser's observations with what their contract needs: range and day of retrieval."""
    ranges = pl.DataFrame(
        [
            {"series_id": s.id, "plausible_low": s.plausible[0], "plausible_high": s.plausible[1]}
            for s in catalog.series.values()
        ],
        schema={"series_id": pl.String, "plausible_low": pl.Float64, "plausible_high": pl.Float64},
    )
    frame = _dated(parsed.observations, payload).join(ranges, on="series_id", how="left", maintain_order="left")
    return frame.select(list(contracts.OBSERVATION.columns))


def _dated(frame: pl.DataFrame, payload: Payload) -> pl.DataFrame:
    return frame.with_columns(pl.lit(payload.retrieved_at.date()).alias("retrieved_on"))


def _quarantine_frame(
    source: Source,
    payload: Payload,
    parsed: Parsed,
    observations: contracts.Verdict,
    records: list[tuple[_Records, contracts.Verdict]],
    catalog: Catalog,
) -> pl.DataFrame:
    parts = [
        parsed.rejects.select("series_id", "row", "reason"),
        observations.bad.select("series_id", pl.format("{}: {} = {}", "row", "period", "value").alias("row"), "reason"),
        *(v.bad.select(kind.series.alias("series_id"), kind.said.alias("row"), "reason") for kind, v in records),
    ]
    return pl.concat(parts).with_columns(
        _named(catalog),
        pl.lit(source.id).alias("source_id"),
        pl.lit(payload.payload_id).alias("payload_id"),
        pl.lit(payload.retrieved_at).alias("quarantined_at"),
    )


def _write_observations(
    connection: duckdb.DuckDBPyConnection,
    good: pl.DataFrame,
    payload: Payload,
    catalog: Catalog,
    earlier: pl.DataFrame,
) -> pl.DataFrame:
    """Write the observations that are new or really changed; return what the payload held, by series.

    `earlier` is where answers to the same request ended (series_id, last_period): what lies between is vanished too.
    """
    if good.is_empty():
        return pl.DataFrame(schema=_COUNTS)
    spec = [catalog.series[s] for s in good["series_id"].unique(maintain_order=True)]
    lags = pl.DataFrame(
        {
            "series_id": [s.id for s in spec],
            "lag_days": [s.publication_lag_days for s in spec],
            "revised": [s.history is History.REVISED for s in spec],
            "frequency": [s.frequency.value for s in spec],
        }
    )
    incoming = good.join(lags, on="series_id", maintain_order="left")
    ends = incoming.select("frequency", "period").unique()
    ends = ends.with_columns(
        pl.Series("period_end", [period_end(day, Frequency(name)) for name, day in ends.iter_rows()], dtype=pl.Date)
    )
    incoming = incoming.join(ends, on=["frequency", "period"], maintain_order="left")
    connection.register("incoming", incoming.to_arrow())
    connection.register("earlier", earlier.to_arrow())
    try:
        connection.execute(_CHANGED_OBSERVATIONS, {"retrieved_at": payload.retrieved_at})
        counts = warehouse.query(connection, _OBSERVATION_COVERAGE, None)
        vanished = warehouse.query(connection, _VANISHED_OBSERVATIONS, [payload.retrieved_at, payload.retrieved_at])
        connection.execute(
            """
            insert into raw.observation by name
            select series_id, period, value, decimals, known_at, known_at_basis, ? as payload_id from changed
            """,
            [payload.payload_id],
        )
        connection.execute("drop table changed")
    finally:
        connection.unregister("incoming")
        connection.unregister("earlier")
    return counts.join(vanished, on="series_id", how="left", maintain_order="left")


# What a payload held of a series, before it is laid out as rows of raw.coverage.
_COUNTS = {
    "series_id": pl.String,
    "rows": pl.Int64,
    "first_period": pl.Date,
    "last_period": pl.Date,
    "rows_added": pl.Int64,
    "rows_changed": pl.Int64,
    "rows_vanished": pl.Int64,
}


def _coverage(
    counts: pl.DataFrame,
    parsed: Parsed,
    quarantined: pl.DataFrame,
    payload: Payload,
    source: Source,
    catalog: Catalog,
) -> pl.DataFrame:
    """Rows of raw.coverage: whatever the payload speaks of, with good rows or without."""
    bad = quarantined.group_by("series_id").agg(pl.len().cast(pl.Int64).alias("quarantined"))
    missing = (
        pl.DataFrame(
            {"series_id": list(parsed.missing), "missing": list(parsed.missing.values())},
            schema={"series_id": pl.String, "missing": pl.Int64},
        )
        .group_by(_named(catalog))
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
            pl.col("rows", "rows_added", "rows_changed", "rows_vanished", "missing", "quarantined").fill_null(0),
            pl.lit(payload.payload_id).alias("payload_id"),
            pl.lit(source.id).alias("source_id"),
            pl.lit(payload.retrieved_at).alias("retrieved_at"),
        )
    )


# How far a newer figure may lie from the known one and still be the same figure.
_TOLERANCE = f"""(
    coalesce(0.5 * power(10, -{{new}}.decimals) * {ROUNDING_SLACK}, 0) + {RELATIVE_TOLERANCE} * abs({{old}})
)"""

# `prior` is what was known when the payload was fetched. A difference counts only beyond the precision that the newer
# payload prints, so a coarser payload never overwrites a finer value.
# A period not known before is dated by its publication lag only where that is consistent with what was seen: not later
# than the retrieval, and not before an earlier retrieval of the series that did not hold it yet. A retrieval whose
# figures begin later (a window of the history) says nothing about the time before them.
_CHANGED_OBSERVATIONS = f"""
create or replace temp table changed as
with prior as (
    select series_id, period, arg_max(value, known_at) as value
    from raw.observation
    where known_at <= $retrieved_at and series_id in (select distinct series_id from incoming)
    group by series_id, period
),
seen as (
    select i.series_id, i.period, max(c.seen_at) as seen_at
    from incoming as i
    inner join (
        select series_id, first_period, max(retrieved_at) as seen_at
        from raw.coverage
        where retrieved_at < $retrieved_at and rows > 0
        group by series_id, first_period
    ) as c on i.series_id = c.series_id and i.period >= c.first_period
    group by i.series_id, i.period
),
compared as (
    select
        i.*,
        p.value as prior_value,
        s.seen_at,
        cast(i.period_end + cast(i.lag_days as integer) as timestamp) as due_at,
        {_TOLERANCE.format(new="i", old="p.value")} as tolerance
    from incoming as i
    left join prior as p on i.series_id = p.series_id and i.period = p.period
    left join seen as s on i.series_id = s.series_id and i.period = s.period
),
dated as (
    select
        *,
        prior_value is null and not revised and due_at <= $retrieved_at and (seen_at is null or seen_at < due_at)
            as lag_is_consistent
    from compared
    where prior_value is null or abs(value - prior_value) > tolerance
)
select
    series_id,
    period,
    value,
    decimals,
    prior_value is not null as is_revision,
    case when lag_is_consistent then due_at else $retrieved_at end as known_at,
    case when lag_is_consistent then 'assumed_lag' else 'observed' end as known_at_basis
from dated
"""

_OBSERVATION_COVERAGE = """
select
    i.series_id,
    count(*) as rows,
    min(i.period) as first_period,
    max(i.period) as last_period,
    count(c.series_id) filter (where not c.is_revision) as rows_added,
    count(c.series_id) filter (where c.is_revision) as rows_changed
from incoming as i
left join changed as c on i.series_id = c.series_id and i.period = c.period
group by i.series_id
"""

_VANISHED_OBSERVATIONS = """
with span as (
    select i.series_id, min(i.period) as first_period, greatest(max(i.period), any_value(e.last_period)) as last_period
    from incoming as i
    left join earlier as e on i.series_id = e.series_id
    group by i.series_id
)
select o.series_id, count(distinct o.period) as rows_vanished
from raw.observation as o
inner join span as s on o.series_id = s.series_id and o.period between s.first_period and s.last_period
where o.known_at <= ?
    and not exists (select 1 from incoming as i where i.series_id = o.series_id and i.period = o.period)
    and not exists (
        select 1 from raw.quarantine as q where q.series_id = o.series_id and q.quarantined_at = ?
    )
group by o.series_id
"""


def _write_records(
    connection: duckdb.DuckDBPyConnection, kind: _Records, good: pl.DataFrame, payload: Payload, catalog: Catalog
) -> pl.DataFrame:
    """Write records not known before; one that changed is a later row. Return what the payload held, by series."""
    if good.is_empty():
        return pl.DataFrame(schema=_COUNTS)
    key = contracts.key(kind.table)
    first_known = f"cast(i.{kind.known_from} as timestamp)" if kind.known_from else "$retrieved_at"
    basis = "reported" if kind.known_from else "observed"
    matched = " and ".join(f"i.{c} is not distinct from p.{c}" for c in key)
    incoming = good.with_columns(kind.series.alias("series_id")).with_columns(_named(catalog))
    connection.register("incoming", incoming.to_arrow())
    try:
        connection.execute(
            f"""
            create or replace temp table changed as
            with prior as (
                select * from raw.{kind.table} as p
                where exists (select 1 from incoming as i where {matched})
                qualify row_number() over (partition by {", ".join(key)} order by known_at desc) = 1
            )
            select
                i.*,
                p.payload_id is not null as is_revision,
                case when p.payload_id is null then {first_known} else $retrieved_at end as known_at,
                case when p.payload_id is null then '{basis}' else 'observed' end as known_at_basis
            from incoming as i
            left join prior as p on {matched}
            where p.payload_id is null or not ({kind.same})
            """,
            {"retrieved_at": payload.retrieved_at},
        )
        counts = warehouse.query(
            connection,
            f"""
            with change as (
                select
                    series_id,
                    count(*) filter (where not is_revision) as rows_added,
                    count(*) filter (where is_revision) as rows_changed
                from changed
                group by series_id
            )
            select
                i.series_id,
                count(*) as rows,
                min(i.{kind.period}) as first_period,
                max(i.{kind.period}) as last_period,
                any_value(c.rows_added) as rows_added,
                any_value(c.rows_changed) as rows_changed
            from incoming as i
            left join change as c on i.series_id = c.series_id
            group by i.series_id
            """,
        )
        connection.execute(
            f"""
            insert into raw.{kind.table} by name
            select * exclude (is_revision, retrieved_on, row, series_id), ? as payload_id from changed
            """,
            [payload.payload_id],
        )
        connection.execute("drop table changed")
    finally:
        connection.unregister("incoming")
    return counts


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


def _record_retrieval(connection: duckdb.DuckDBPyConnection, check: Check) -> None:
    connection.execute(
        "insert into raw.retrieval values (?, ?, ?, ?, ?, ?, ?)",
        [check.source, check.key, check.checked_at, check.outcome, check.payload_id, check.error, check.seconds],
    )


def bundle_id(directory: Path) -> str | None:
    """SHA-256 over the bundled files, or None where there is no bundle."""
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
    """Add the figures that ship with the project to the raw tables, once per bundle; returns the rows added.

    Rows of a payload that is already known are left alone, so a newer bundle only adds; and what this warehouse
    fetched later than the bundle was retrieved keeps the last word.
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
                select b.* from read_parquet($path) as b {_BUNDLED_FROM.get(table, "")}
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
# A bundle loaded after data was fetched must neither repeat nor overrule it. An observation of a period that is known
# here by then is left out when it says the same, when it rests on an assumed date only, or when the series was fetched
# again later (that payload was compared with what is known here, not with the bundle).
_ALREADY_KNOWN = {
    "observation": f"""
        and not exists (
            select 1 from raw.observation as o
            inner join known_payload as k on o.payload_id = k.payload_id
            where o.series_id = b.series_id and o.period = b.period
                and (b.known_at_basis = 'assumed_lag' or o.known_at = b.known_at)
        )
        and not exists (
            select 1 from (
                select o.series_id, o.period, arg_max(o.value, o.known_at) as value
                from raw.observation as o
                inner join known_payload as k on o.payload_id = k.payload_id
                where o.series_id = b.series_id and o.period = b.period and o.known_at <= b.known_at
                group by o.series_id, o.period
            ) as o
            where abs(b.value - o.value) <= {_TOLERANCE.format(new="b", old="o.value")}
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
