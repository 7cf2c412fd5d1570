"""Days of release that are known to differ from a series' publication lag: the entries of catalog/release_dates.yaml.

Ingest dates new figures by them. Figures that are already loaded are re-dated here, each with a record of the old day.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import polars as pl

from pipelines import text, warehouse
from pipelines.catalog import Catalog

log = text.logger("metals.ingest")

_DAYS = {"series_id": pl.String, "period": pl.Date, "released_on": pl.Date, "reference": pl.String}


def release_days(catalog: Catalog) -> pl.DataFrame:
    """series_id, period, released_on, reference of every entry."""
    rows = [
        (name, period, day, entry.reference)
        for entry in catalog.releases.values()
        for name in entry.series
        for period, day in entry.released.items()
    ]
    return pl.DataFrame(rows, schema=_DAYS, orient="row")


def redate(connection: duckdb.DuckDBPyConnection, catalog: Catalog, now: datetime) -> int:
    """Date the rows already loaded by the days of release of the catalogue; returns how many were re-dated.

    Only days that were never observed move: those by publication lag or by an earlier entry. As at a first load, the
    day of release must be consistent with the retrievals: not later than the one that brought the row, and not before
    an earlier one that did not have it yet. Otherwise the row is known from the retrieval that brought it.

    Each change is a row of raw.known_at_change, so that past builds that come out differently can be explained. Taking
    an entry out re-dates nothing; a rebuild from landing does.
    """
    connection.register("release_day", release_days(catalog).to_arrow())
    try:
        with warehouse.transaction(connection):
            changed = connection.execute(_MOVED, {"now": now}).fetchall()[0][0]
            if changed:
                connection.execute(
                    """
                    update raw.observation as o set known_at = c.known_at_after, known_at_basis = c.known_at_basis_after
                    from raw.known_at_change as c
                    where o.series_id = c.series_id and o.period = c.period and o.known_at = c.known_at_before
                        and c.changed_at = ?
                    """,
                    [now],
                )
                log.warning(
                    "%d figures now count as known from another day (release_dates.yaml): see raw.known_at_change",
                    changed,
                )
    finally:
        connection.unregister("release_day")
    return int(changed)


_MOVED = """
insert into raw.known_at_change by name
with dated as (
    select
        o.series_id,
        o.period,
        o.known_at as known_at_before,
        o.known_at_basis as known_at_basis_before,
        d.reference,
        d.released_on,
        p.retrieved_at,
        d.released_on <= p.retrieved_at and not exists (
            select 1 from raw.coverage as c
            where c.series_id = o.series_id and c.rows > 0 and c.first_period <= o.period
                and c.retrieved_at >= d.released_on and c.retrieved_at < p.retrieved_at
        ) as is_consistent
    from raw.observation as o
    inner join release_day as d on o.series_id = d.series_id and o.period = d.period
    inner join raw.payload as p on o.payload_id = p.payload_id
    where o.known_at_basis in ('assumed_lag', 'reported')
)
select
    series_id, period, known_at_before, known_at_basis_before, reference,
    case when is_consistent then cast(released_on as timestamp) else retrieved_at end as known_at_after,
    case when is_consistent then 'reported' else 'observed' end as known_at_basis_after,
    cast($now as timestamp) as changed_at
from dated
where known_at_after <> known_at_before
"""
