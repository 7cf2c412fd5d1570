-- Divergences whose state differs from the last published one.
with names as (
    select metal_id as subject, name from metals
    union all
    select company_id, name from companies
    union all
    select distinct subject, name from divergence_coal_transition
)

select
    coalesce(d.title, replace(c.divergence_id, '_', ' ')) as title,
    coalesce(n.name, upper(left(c.subject, 1)) || substr(c.subject, 2)) as subject,
    c.state_before,
    c.state_after,
    d.state_since
from audit.divergence_changes as c
left join divergences as d using (divergence_id, subject)
left join names as n on c.subject = n.subject
where true {{ and_not_own_use('divergences', "c.divergence_id || '|' || c.subject") }}
order by c.divergence_id, c.subject
