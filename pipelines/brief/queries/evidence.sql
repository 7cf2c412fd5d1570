-- The indicators behind each verdict.
select
    claim_id,
    indicator,
    role,
    finding,
    value,
    unit,
    period_label,
    reading,
    is_stale,
    reason
from claim_evidence
where true {{ and_not_own_use('claim_evidence', "claim_id || '|' || indicator") }}
order by claim_id, role, indicator
