-- How much the present resembles the 1970s.
select
    reference_month,
    reference_dimensions,
    reference_missing_dimensions,
    nearest_month,
    nearest_distance,
    median_distance,
    median_distance_1970s,
    nearest_months,
    nearest_in_1970s,
    nearest_in_1970s_pct,
    candidates_in_1970s_pct,
    candidate_months,
    independent_window_months
from analog_summary
where true {{ and_not_own_use('analog_summary', "as_of") }}
