-- Every divergence, open ones first.
select
    title,
    subject,
    state,
    days_in_state,
    gap_zscore,
    left_label,
    left_value,
    right_label,
    right_value,
    period_label,
    is_stale
from divergences
where true {{ and_not_own_use('divergences', "divergence_id || '|' || subject") }}
order by array_position(['opening', 'open', 'closing', 'closed'], state), abs(gap_zscore) desc nulls last, subject
