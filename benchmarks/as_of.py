"""Point-in-time queries: precomputed intervals against a scan of the table, and against querying the raw rows."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.report import Row, medians

SEED = 0.25  # of DuckDB's random()
SERIES, PERIODS, REVISIONS = 2_000, 500, 10
ROWS = SERIES * PERIODS * REVISIONS

# Synthetic: one figure per month, known a month later and revised at intervals of up to four months.
OBSERVATIONS = f"""
create table synthetic_observation as
select
    'synthetic_' || series as series_id,
    cast(date '1975-01-01' + interval (period) month as date) as period,
    series + period + revision / 8 as value,
    cast(date '1975-02-01' + interval (period) month as timestamp)
        + interval (60 * revision + cast(floor(59 * random()) as integer)) day as known_at
from range({SERIES}) as s (series), range({PERIODS}) as p (period), range({REVISIONS}) as r (revision)
"""
# As in the model base_observations__intervals: the same columns and order.
INTERVALS = """
create table synthetic_interval as
select *, lead(known_at) over (partition by series_id, period order by known_at) as superseded_at
from synthetic_observation
order by superseded_at nulls last, known_at
"""
SCAN = "select count(series_id), max(period), sum(value), max(known_at), max(superseded_at) from synthetic_interval"
ONE_DAY = """
select count(series_id), max(period), sum(value) from synthetic_interval
where known_at < timestamp '2005-07-01' and (superseded_at is null or superseded_at >= timestamp '2005-07-01')
"""
ONE_DAY_FROM_RAW = """
select count(series_id), max(period), sum(value) from (
    select series_id, period, arg_max(value, known_at) as value
    from synthetic_observation where known_at < timestamp '2005-07-01' group by series_id, period
)
"""
# A row counts from the first day after it became known to the first day after it was replaced.
MANY_DAYS = """
with movements as (
    select date_trunc('month', known_at) + interval 1 month as day, count(*) as n, sum(value) as total
    from synthetic_interval group by 1
    union all
    select date_trunc('month', superseded_at) + interval 1 month as day, -count(*) as n, -sum(value) as total
    from synthetic_interval where superseded_at is not null group by 1
),
running as (
    select day, sum(sum(n)) over (order by day) as n, sum(sum(total)) over (order by day) as total
    from movements group by day
)
select day, n, total from running
where day between timestamp '2000-01-01' and timestamp '2009-12-01' order by day
"""


def measure() -> list[Row]:
    """One day, and the first days of 120 months, of ten million synthetic rows in a separate file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(duckdb.connect(str(Path(folder) / "synthetic.duckdb"))) as connection,
    ):
        connection.execute(f"select setseed({SEED})").fetchall()
        connection.execute(OBSERVATIONS)
        connection.execute(INTERVALS)

        def answer(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()

        def side(query: str, times: int = 1) -> Callable[[], object]:
            return lambda: [answer(query) for _ in range(times)]

        # The values are eighths: their sums are exact in any order.
        assert answer(ONE_DAY) == answer(ONE_DAY_FROM_RAW)
        [(rows, _, total)] = answer(ONE_DAY)
        days = {str(day)[:10]: rest for day, *rest in answer(MANY_DAYS)}
        assert len(days) == 120
        assert days["2005-07-01"] == [rows, total]

        one, from_raw, scan = medians(side(ONE_DAY), side(ONE_DAY_FROM_RAW), side(SCAN))
        many, scans = medians(side(MANY_DAYS), side(SCAN, 20))
    size = f"{ROWS / 1e6:.0f} million synthetic rows"
    return [
        Row("as of one day", "s", one, from_raw, scan, f"intervals; arg_max over the raw rows; a scan; {size}"),
        Row(
            "as of 120 days",
            "s",
            many,
            None,
            scans,
            f"counts and sums, in and out of the intervals in one pass; 20 scans; {size}",
        ),
    ]
