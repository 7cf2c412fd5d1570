-- Coal transition as a divergence: the pace of coal's share of electricity now, against the five years before.
with countries as (
    select
        subject,
        year,
        string_agg(country_id, ', ' order by country_id) as members
    from {{ ref('int_coal__members') }}
    where subject = 'emerging_asia'
    group by subject, year
)

select
    'coal_transition' as divergence_id,
    d.subject,
    make_date(d.year, 1, 1) as period,
    cast(d.year as varchar) as period_label,
    make_date(d.year, 12, 31) as period_end,
    'slope of coal''s share over five years, percentage points per year' as left_label,
    d.coal_share_slope_pp_per_year as left_value,
    'slope over the five years before, percentage points per year' as right_label,
    d.coal_share_slope_before_pp_per_year as right_value,
    d.slope_change_pp_per_year as gap,
    {{ expanding_zscore('d.slope_change_pp_per_year', 'd.year', 'd.subject', 10) }} as gap_zscore,
    1 as direction,
    c.members,
    d.phase_out_slows as is_open,
    d.known_at,
    'divergence_coal_transition' as source_table,
    d.subject || '|' || cast(d.year as varchar) as source_key
from {{ ref('divergence_coal_transition') }} as d
left join countries as c on d.subject = c.subject and d.year = c.year
where d.slope_change_pp_per_year is not null
