-- The indicators behind each verdict. A measure is named by its citation.
with {% include '_measures.sql' %}


select
    e.claim_id,
    e.indicator,
    e.role,
    replace(e.finding, coalesce(m.event_id, ' '), coalesce(m.name, ' ')) as finding,
    e.value,
    e.unit,
    e.period,
    e.period_label,
    e.known_at,
    e.reading,
    e.is_stale,
    e.reason
from claim_evidence as e
left join measures as m on contains(e.finding, m.event_id)
where true {{ and_not_own_use('claim_evidence', "e.claim_id || '|' || e.indicator") }}
qualify row_number() over (partition by e.claim_id, e.indicator order by length(m.event_id) desc nulls last) = 1
order by e.claim_id, e.role, e.indicator
