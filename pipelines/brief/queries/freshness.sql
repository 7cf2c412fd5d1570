-- Whether a publisher was reached since the build before, and how far the figures go.
with newest as (
    select * from raw.build
    order by started_at desc
    limit 1
),

previous as (
    select max(b.started_at) as started_at from raw.build as b
    cross join newest as n
    where b.succeeded and coalesce(b.selection, '') = '' and b.started_at < n.started_at and b.as_of <= n.as_of
),

-- A publisher that answers is reached, whatever becomes of its answer.
answered as (
    select
        max(checked_at) as last_reached_at,
        max(checked_at) filter (where checked_at > coalesce((select started_at from previous), timestamp '1970-01-01'))
            as reached_since_at
    from raw.retrieval
    where outcome in ('fresh', 'unchanged', 'absent', 'blocked')
),

failed as (
    select count(distinct source_id) as publishers_failed from raw.retrieval
    where
        outcome = 'failed'
        and checked_at > coalesce((select started_at from previous), timestamp '1970-01-01')
)

select
    -- Nobody answered since the build before, and either somebody was asked or three days went by (a weekend is no fault).
    n.as_of >= cast(n.started_at as date)
    and a.reached_since_at is null
    and (
        f.publishers_failed > 0 or coalesce(a.last_reached_at < n.started_at - interval 3 day, true)
    ) as nobody_reached,
    a.last_reached_at,
    f.publishers_failed,
    (
        select max(last_period_end) from data_freshness
    ) as newest_figure_on
from newest as n
cross join answered as a
cross join failed as f
