-- Every divergence, open ones first.
select
    divergence_id,
    claim_id,
    title,
    subject,
    state,
    state_since,
    days_in_state,
    gap_zscore,
    left_label,
    left_value,
    right_label,
    right_value,
    period,
    period_label,
    known_at,
    is_stale
from divergences
where true {{ and_not_own_use('divergences', "divergence_id || '|' || subject") }}
order by array_position(['opening', 'open', 'closing', 'closed'], state), abs(gap_zscore) desc nulls last, subject
