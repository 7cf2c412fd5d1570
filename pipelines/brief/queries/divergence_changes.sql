-- Divergences whose newest figure, known since the previous build, changed their state.
with builds as (
    select
        as_of,
        row_number() over (order by started_at desc) as newest_first
    from raw.build
    where succeeded and coalesce(selection, '') = ''
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
    and cast(d.known_at as date) > (select as_of from builds where newest_first = 2)
    {{ and_not_own_use('divergences', "d.divergence_id || '|' || d.subject") }}
order by d.divergence_id, d.subject
