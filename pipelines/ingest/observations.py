"""Observations of series: compared with the known ones, and written where they differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import duckdb
import polars as pl

from pipelines import columns, contracts, warehouse
from pipelines.catalog import Catalog, Frequency, History, Source, period_end
from pipelines.errors import BadPayload
from pipelines.ingest import continuity, corrections
from pipelines.ingest.payload import COUNTS, Payload, with_retrieval_day
from pipelines.ingest.precision import refines_sql, single_precision_sql, tolerance_sql
from pipelines.ingest.release_dates import release_days
from pipelines.sources import Parsed


def without_unfinished(parsed: Parsed, payload: Payload, source: Source, catalog: Catalog) -> Parsed:
    """`parsed` without the figures of a session, day, month or year that was not over when the payload was fetched.

    They are not loaded from any publisher, and are counted as missing. A period that had not even begun is left for the
    contract to reject.
    """
    fetched = payload.retrieved_at
    recent = parsed.observations.filter(
        pl.col("period").is_between(fetched.date() - timedelta(days=366), fetched.date())
        & pl.col("series_id").is_in(list(catalog.series))
    )
    running = [
        row
        for row in recent.select("series_id", "period").unique().iter_rows()
        if not source.has_ended(catalog.series[row[0]], row[1], fetched)
    ]
    if not running:
        return parsed
    rows = pl.DataFrame(running, schema={"series_id": pl.String, "period": pl.Date}, orient="row")
    return replace(
        parsed,
        observations=parsed.observations.join(rows, on=["series_id", "period"], how="anti", maintain_order="left"),
        missing=Counter(parsed.missing) + Counter(rows["series_id"]),
    )


def held_against_known(
    connection: duckdb.DuckDBPyConnection,
    verdict: contracts.Verdict,
    payload: Payload,
    source: Source,
    catalog: Catalog,
    unreadable: int,
) -> tuple[contracts.Verdict, pl.DataFrame, int]:
    """Observations checked for continuity with those known when the payload was fetched, and where earlier ones ended.

    The second frame is (series_id, last_period) of the series in earlier responses to the same request, the number how
    many of the bad rows belong to series that differ as a whole. Those say nothing about the payload's other series, as
    long as they are not most of its series: then the number is 0.

    Raises BadPayload for an older file, unless some of its cells were `unreadable`: the newest ones may be among them.
    Breaks that a correction accepts are not quarantined.
    """
    good = verdict.good
    earlier = warehouse.query(connection, _EARLIER_ENDS, [source.id, payload.key, payload.retrieved_at])
    if good.is_empty():
        return verdict, earlier, 0
    accepted = corrections.accepted(catalog, good)
    judged_here = good.filter(~pl.col("series_id").is_in(accepted))
    # Bad rows count as well as good ones: a bad newest row does not make a file older.
    held = pl.concat([judged_here, verdict.bad.select(good.columns)]).filter(~pl.col("series_id").is_in(accepted))
    ends = held.group_by("series_id").agg(pl.col("period").max().alias("last_period"))
    if (why := continuity.older(ends, earlier)) and not unreadable:
        raise BadPayload(
            why,
            source=source.id,
            row=payload.key,
            kept="the last good data",
            todo="if figures were withdrawn on purpose, accept that in pipelines/catalog/corrections.yaml",
        )
    # A declared new construction is compared with what its own files said, not with the old one.
    since = pl.DataFrame(
        [(s.id, s.rewritten_since) for s in catalog.series_of(source.id)],
        schema={"series_id": pl.String, "rewritten_since": pl.Date},
        orient="row",
    )
    compared = judged_here.select("series_id").unique().join(since, on="series_id", how="left")
    connection.register("judged", compared.to_arrow())
    try:
        known = warehouse.query(connection, _KNOWN, [payload.retrieved_at] * 2)
    finally:
        connection.unregister("judged")
    never_zero = {name for name in judged_here["series_id"].unique() if catalog.series[name].plausible[0] > 0}
    first_periods = {s.id: s.first_period for s in catalog.series_of(source.id) if s.first_period}
    breaks = continuity.reasons(judged_here, known, never_zero, first_periods)
    if breaks.is_empty():
        return verdict, earlier, 0
    whole = breaks.filter("whole")
    alone = whole["series_id"].n_unique() * 2 <= good["series_id"].n_unique()
    row_key = ["series_id", "period"]
    return (
        contracts.Verdict(
            good.join(breaks, on=row_key, how="anti", maintain_order="left"),
            pl.concat(
                [verdict.bad, good.join(breaks.drop("whole"), on=row_key, how="inner", maintain_order="left")],
                how="diagonal",
            ),
        ),
        earlier,
        (whole.height if alone else 0),
    )


_EARLIER_ENDS = """
select c.series_id, max(c.last_period) as last_period
from raw.coverage as c
inner join raw.payload as p on c.payload_id = p.payload_id
where p.source_id = ? and p.request_key = ? and c.retrieved_at < ? and c.rows > 0
group by c.series_id
"""


_KNOWN = f"""
select k.series_id, k.period, k.value
from {warehouse.newest_known("known_at <= ? and series_id in (select series_id from judged)")} as k
inner join judged as j on k.series_id = j.series_id
where j.rewritten_since is null or j.rewritten_since > cast(? as date) or k.known_at >= j.rewritten_since
"""


def observation_frame(parsed: Parsed, payload: Payload, catalog: Catalog) -> pl.DataFrame:
    """The parser's observations with the columns that their contract needs: range and day of retrieval."""
    ranges = pl.DataFrame(
        [
            {"series_id": s.id, "plausible_low": s.plausible[0], "plausible_high": s.plausible[1]}
            for s in catalog.series.values()
        ],
        schema={"series_id": pl.String, "plausible_low": pl.Float64, "plausible_high": pl.Float64},
    )
    frame = with_retrieval_day(parsed.observations, payload).join(
        ranges, on="series_id", how="left", maintain_order="left"
    )
    return frame.select([*columns.RAW["observation"], "plausible_low", "plausible_high", "retrieved_on", "row"])


def write_observations(
    connection: duckdb.DuckDBPyConnection,
    good: pl.DataFrame,
    payload: Payload,
    catalog: Catalog,
    earlier: pl.DataFrame,
) -> pl.DataFrame:
    """Write the observations that are new or changed; return the coverage of the payload, by series.

    `earlier` is where earlier responses to the same request ended (series_id, last_period): known periods up to there
    count as vanished too.
    """
    if good.is_empty():
        return pl.DataFrame(schema=COUNTS)
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
    incoming = incoming.join(ends, on=["frequency", "period"], maintain_order="left").join(
        release_days(catalog), on=["series_id", "period"], how="left", maintain_order="left"
    )
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


# `prior` is what was known when the payload was fetched. Only a difference beyond the precision that the newer payload
# prints counts, so a coarser payload never overwrites a finer value.
# A new period is dated by its day of release (release_dates.yaml) or its publication lag only if that is consistent
# with the retrievals: not later than this one, and not before an earlier retrieval of the series that did not have the
# period yet. An earlier retrieval that begins after the period (a window of the history) does not count.
_CHANGED_OBSERVATIONS = f"""
create or replace temp table changed as
with prior as (
    from {warehouse.newest_known("known_at <= $retrieved_at and series_id in (select series_id from incoming)")}
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
        p.decimals as prior_decimals,
        s.seen_at,
        cast(coalesce(i.released_on, i.period_end + cast(i.lag_days as integer)) as timestamp) as due_at,
        {tolerance_sql("i.decimals", "p.value")} + {single_precision_sql("i.value", "i.decimals")} as tolerance
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
    case
        when prior_value is null then 'added'
        when {refines_sql("value", "decimals", "prior_value", "prior_decimals")} then 'refined'
        else 'revised'
    end as change,
    case when lag_is_consistent then due_at else $retrieved_at end as known_at,
    case
        when lag_is_consistent and released_on is not null then 'reported'
        when lag_is_consistent then 'assumed_lag'
        when change = 'refined' then 'refined'
        else 'observed'
    end as known_at_basis
from dated
"""


_OBSERVATION_COVERAGE = """
select
    i.series_id,
    count(*) as rows,
    min(i.period) as first_period,
    max(i.period) as last_period,
    count(c.series_id) filter (where c.change = 'added') as rows_added,
    count(c.series_id) filter (where c.change = 'revised') as rows_changed,
    count(c.series_id) filter (where c.change = 'refined') as rows_refined
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
