-- Divergences whose state differs from the last published one.
select
    c.divergence_id,
    c.subject,
    d.title,
    c.state_before,
    c.state_after
from audit.divergence_changes as c
left join divergences as d using (divergence_id, subject)
where true {{ and_not_own_use('divergences', "c.divergence_id || '|' || c.subject") }}
order by c.divergence_id, c.subject
