-- Divergences whose newest figure, known since the previous build, changed their state.
with newest as (
    select * from raw.build
    order by started_at desc
    limit 1
),

previous as (
    select b.* from raw.build as b
    cross join newest as n
    where b.succeeded and coalesce(b.selection, '') = '' and b.started_at < n.started_at and b.as_of <= n.as_of
    order by b.started_at desc
    limit 1
)

select
    d.title,
    d.subject,
    d.state,
    d.state_since,
    d.days_in_state
from divergences as d
where
    d.state_since = d.period
    and cast(d.known_at as date) > (select as_of from previous)
    {{ and_not_own_use('divergences', "d.divergence_id || '|' || d.subject") }}
order by d.divergence_id, d.subject
