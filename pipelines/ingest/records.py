"""Records (filings, facts, documents, releases): written when new or changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines import columns, contracts, text, warehouse
from pipelines.catalog import Catalog, Source
from pipelines.ingest import corrections
from pipelines.ingest.payload import COUNTS, Payload
from pipelines.ingest.precision import HALF_UNIT, RELATIVE_TOLERANCE
from pipelines.sources import Parsed

log = text.logger("metals.ingest")

# How close to the publisher's own a payload must be for what it lacks to count as withdrawn.
WHOLE_FIDELITY = ("native", "native, complete")
# So many records, or this share of those known, may be withdrawn at once: a filing or two, not a tag of every year.
FEW_RECORDS, MASS_SHARE = 10, 0.05


@dataclass(frozen=True)
class RecordKind:
    """A kind of records: rows with an identity of their own (filed, listed, published), unlike observations of series.

    `same` is SQL over `i` (incoming) and `p` (the newest known row of the same key) that is true if nothing changed,
    `refines` if the row only gained digits.
    `known_from` is the column with the day on which a new row became known; None: it is known from its retrieval.
    """

    table: str
    rows: Callable[[Parsed], pl.DataFrame]
    series: pl.Expr  # what coverage and quarantine count by: a company (its CIK, until it is named), a topic, a source
    period: str
    same: str
    known_from: str | None
    said: pl.Expr  # the row as shown in quarantine
    refines: str = "false"  # documents and lists hold no figures
    place: str = "null"  # SQL over a stored row: `row` of a reject, where it could not be read this time


def _columns_equal(table: str, *aside: str) -> str:
    """SQL that is true if all stored columns are unchanged; `aside` are not compared."""
    left_out = {*columns.KEYS[table], *aside}
    return " and ".join(f"i.{c} is not distinct from p.{c}" for c in columns.RAW[table] if c not in left_out)


RECORD_KINDS = (
    RecordKind(
        table="filing_fact",
        rows=lambda parsed: parsed.filing_facts,
        series=pl.format("CIK{}", "cik"),
        period="period_end",
        same=f"abs(i.value - p.value) <= {RELATIVE_TOLERANCE} * abs(p.value)",
        known_from="filed",
        said=pl.format("{}: {} {} {} = {}", "row", "tag", "accession", "period_end", "value"),
        # Facts print no precision, and trailing zeros of an amount may be real: only digits after the point are new.
        refines=f"p.value = round(p.value) and i.value <> round(i.value) and abs(i.value - p.value) <= {HALF_UNIT}",
        place="n.taxonomy || '/' || n.tag || ' ' || n.unit || ' accession ' || n.accession",
    ),
    RecordKind(
        table="filing",
        rows=lambda parsed: parsed.filings,
        series=pl.format("CIK{}", "cik"),
        period="filing_date",
        # The zone of the time of acceptance changed between two pulls of the same filings.
        same=_columns_equal("filing", "acceptance_datetime"),
        known_from="filing_date",
        said=pl.format("{}: {} {} of {}", "row", "form", "accession", "filing_date"),
    ),
    RecordKind(
        table="policy_document",
        rows=lambda parsed: parsed.policy_documents,
        series=pl.col("topic"),
        period="publication_date",
        same=_columns_equal("policy_document"),
        known_from="publication_date",
        said=pl.format("{}: {}", "row", "document_number"),
    ),
    RecordKind(
        table="tariff_release",
        rows=lambda parsed: parsed.tariff_releases,
        series=pl.lit("usitc_hts"),
        period="release_start_date",
        same=_columns_equal("tariff_release"),
        known_from=None,  # the list does not give the date on which a release was added
        said=pl.format("{}: {}", "row", "release_id"),
    ),
)


def by_company(catalog: Catalog) -> pl.Expr:
    """`series_id` with the catalogue's company id in place of a CIK; a CIK of no company stays."""
    return pl.col("series_id").replace({f"CIK{cik}": company.id for cik, company in catalog.company_by_cik.items()})


def write_records(
    connection: duckdb.DuckDBPyConnection,
    kind: RecordKind,
    verdict: contracts.Verdict,
    parsed: Parsed,
    payload: Payload,
    source: Source,
    catalog: Catalog,
) -> pl.DataFrame:
    """Write new, changed and withdrawn records, each as a new row. Return the coverage of the payload, by series."""
    good = verdict.good
    if good.is_empty():
        return pl.DataFrame(schema=COUNTS)
    key = columns.KEYS[kind.table]
    first_known = f"cast(i.{kind.known_from} as timestamp)" if kind.known_from else "$retrieved_at"
    basis = "reported" if kind.known_from else "observed"
    matched = " and ".join(f"i.{c} is not distinct from p.{c}" for c in key)
    incoming = good.with_columns(kind.series.alias("series_id")).with_columns(by_company(catalog))
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
                case
                    when p.payload_id is null then 'added'
                    when p.known_at_basis <> 'withdrawn' and {kind.refines} then 'refined'
                    else 'revised'
                end as change,
                case when p.payload_id is null then {first_known} else $retrieved_at end as known_at,
                case change when 'added' then '{basis}' when 'refined' then 'refined' else 'observed' end
                    as known_at_basis
            from incoming as i
            left join prior as p on {matched}
            left join raw.payload as o on p.payload_id = o.payload_id
            -- What a publisher has withdrawn, it alone can state again.
            where
                p.payload_id is null
                or case when p.known_at_basis = 'withdrawn' then o.source_id = $source else not ({kind.same}) end
            """,
            {"retrieved_at": payload.retrieved_at, "source": source.id},
        )
        counts = warehouse.query(
            connection,
            f"""
            with change as (
                select
                    series_id,
                    count(*) filter (where change = 'added') as rows_added,
                    count(*) filter (where change = 'revised') as rows_changed,
                    count(*) filter (where change = 'refined') as rows_refined
                from changed
                group by series_id
            )
            select
                i.series_id,
                count(*) as rows,
                min(i.{kind.period}) as first_period,
                max(i.{kind.period}) as last_period,
                any_value(c.rows_added) as rows_added,
                any_value(c.rows_changed) as rows_changed,
                any_value(c.rows_refined) as rows_refined
            from incoming as i
            left join change as c on i.series_id = c.series_id
            group by i.series_id
            """,
        )
        connection.execute(
            f"""
            insert into raw.{kind.table} by name
            select * exclude (change, retrieved_on, row, series_id), ? as payload_id from changed
            """,
            [payload.payload_id],
        )
        connection.execute("drop table changed")
        if kind.table in parsed.whole and payload.fidelity in WHOLE_FIDELITY:
            counts = counts.join(
                _withdraw(connection, kind, verdict, parsed, payload, source, catalog), on="series_id", how="left"
            )
    finally:
        connection.unregister("incoming")
    return counts


def _withdraw(
    connection: duckdb.DuckDBPyConnection,
    kind: RecordKind,
    verdict: contracts.Verdict,
    parsed: Parsed,
    payload: Payload,
    source: Source,
    catalog: Catalog,
) -> pl.DataFrame:
    """Mark what earlier answers to the same request stated and this one does not; count it by series (rows_vanished).

    A withdrawn record is one more row, known from this retrieval, with the basis `withdrawn`. Nothing is withdrawn by
    an answer that is older than an earlier one (a cache), nor if so many records are gone that the answer is more
    likely a part of itself and no correction accepts it: they are counted, and stay.
    """
    key = columns.KEYS[kind.table]
    origin = {"retrieved_at": payload.retrieved_at.isoformat(), "source": source.id, "key": payload.key}
    stated = pl.concat([verdict.good.select(key), verdict.bad.select(key)])
    connection.register("stated", stated.to_arrow())
    connection.register("unread", parsed.rejects.to_arrow())
    try:
        vanished = warehouse.query(
            connection,
            f"""
            with newest as (
                select p.*, row_number() over (partition by {", ".join(key)} order by known_at desc) as age
                from raw.{kind.table} as p
                where p.{key[0]} in (select {key[0]} from incoming)
            ),
            known as (
                select n.* exclude (age), max(n.{kind.known_from}) over () as known_until, count(*) over () as all_known
                from newest as n
                inner join raw.payload as o on n.payload_id = o.payload_id
                where
                    n.age = 1 and n.known_at_basis <> 'withdrawn' and n.known_at < cast($retrieved_at as timestamp)
                    and o.source_id = $source and o.request_key = $key and o.fidelity like 'native%'
            )
            select n.*, known_until <= (select max({kind.known_from}) from incoming) as is_current
            from known as n
            where
                not exists (
                    select 1 from stated as i
                    where {" and ".join(f"i.{c} is not distinct from n.{c}" for c in key)}
                )
                and coalesce({kind.place} not in (select row from unread), true)
            """,
            origin,
        )
    finally:
        connection.unregister("stated")
        connection.unregister("unread")
    found = vanished.with_columns(kind.series.alias("series_id")).with_columns(by_company(catalog))
    for name, rows in found.group_by("series_id"):
        is_mass = rows.height > max(FEW_RECORDS, MASS_SHARE * rows["all_known"][0])
        may_be = not is_mass or corrections.withdrawal_is_accepted(catalog, verdict.good)
        withdrawn = rows.filter(pl.lit(may_be) & pl.col("is_current"))
        log.warning(
            "%s: %d records of %s are no longer stated by %s: %s",
            source.id,
            rows.height,
            name[0],
            payload.key,
            "withdrawn" if withdrawn.height else "kept, because the answer is older or lacks too many",
        )
        warehouse.append(
            connection,
            kind.table,
            withdrawn.select(list(columns.RAW[kind.table])).with_columns(
                pl.lit(payload.retrieved_at).alias("known_at"),
                pl.lit("withdrawn").alias("known_at_basis"),
                pl.lit(payload.payload_id).alias("payload_id"),
            ),
        )
    return found.group_by("series_id").agg(pl.len().cast(pl.Int64).alias("rows_vanished"))
