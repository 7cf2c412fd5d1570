-- Every divergence, open ones first, with its subject's name.
with names as (
    select metal_id as subject, name from metals
    union all
    select company_id, name from companies
    union all
    select distinct subject, name from divergence_coal_transition
)

select
    d.divergence_id,
    d.subject,
    coalesce(n.name, replace(d.subject, '_', ' ')) as subject_name,
    d.title,
    d.claim_id,
    d.state,
    d.state_since,
    d.gap_zscore,
    d.left_label,
    d.left_value,
    d.right_label,
    d.right_value,
    d.period,
    d.period_label,
    d.known_at,
    d.is_stale
from divergences as d
left join names as n on d.subject = n.subject
where true {{ and_not_own_use('divergences', "d.divergence_id || '|' || d.subject") }}
order by
    array_position(['opening', 'open', 'closing', 'closed'], d.state), abs(d.gap_zscore) desc nulls last,
    d.divergence_id, d.subject
