-- Which divergences are there, how wide in standard deviations, and for how many days?
select divergence_id, subject, title, state, gap_zscore, days_in_state, left_label, left_value, right_label, right_value
from divergences
where state <> 'no_data' and not is_stale
order by abs(gap_zscore) desc nulls last
