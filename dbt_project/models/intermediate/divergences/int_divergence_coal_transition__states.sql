-- Coal transition as a divergence: the pace of coal's share of electricity now, against the five years before.
select
    'coal_transition' as divergence_id,
    subject,
    make_date(year, 1, 1) as period,
    make_date(year, 12, 31) as period_end,
    'slope of coal''s share over five years, percentage points per year' as left_label,
    coal_share_slope_pp_per_year as left_value,
    'slope over the five years before, percentage points per year' as right_label,
    coal_share_slope_before_pp_per_year as right_value,
    slope_change_pp_per_year as gap,
    {{ expanding_zscore('slope_change_pp_per_year', 'year', 'subject', 10) }} as gap_zscore,
    phase_out_slows as is_open,
    known_at,
    'divergence_coal_transition' as source_table,
    subject || '|' || cast(year as varchar) as source_key
from {{ ref('divergence_coal_transition') }}
where slope_change_pp_per_year is not null
