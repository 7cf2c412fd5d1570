-- Every divergence, open ones first.
with names as (
    select metal_id as subject, name from metals
    union all
    select company_id, name from companies
    union all
    select distinct subject, name from divergence_coal_transition
)

select
    d.divergence_id,
    d.title,
    coalesce(n.name, upper(left(d.subject, 1)) || substr(d.subject, 2)) as subject,
    state,
    days_in_state,
    gap_zscore,
    left_label,
    left_value,
    right_label,
    right_value,
    period_label,
    is_stale,
    d.subject in (select metal_id from metals) as is_metal
from divergences as d
left join names as n on d.subject = n.subject
where true {{ and_not_own_use('divergences', "d.divergence_id || '|' || d.subject") }}
order by array_position(['opening', 'open', 'closing', 'closed'], state), abs(gap_zscore) desc nulls last, d.subject
