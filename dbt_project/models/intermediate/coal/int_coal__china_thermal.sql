-- China's thermal power over the twelve months to the newest month of each calendar year, a month or two before coal's own
-- figures: coal for the most part, with gas, oil and biomass, of plants above designated size.
with months as (
    select
        t.month,
        t.output_12m as thermal_12m_twh,
        t.output_12m_yoy_pct as thermal_12m_yoy_pct,
        100.0 * t.output_12m / nullif(a.output_12m, 0) as thermal_share_12m_pct,
        greatest(t.known_at, a.known_at) as known_at
    from {{ ref('int_indicators__trailing_years') }} as t
    inner join {{ ref('int_indicators__trailing_years') }} as a on t.month = a.month
    where t.indicator_id = 'china_thermal_electricity_output_ytd_twh' and a.indicator_id = 'china_electricity_output_ytd_twh'
),

changes as (
    select
        *,
        thermal_share_12m_pct - {{ months_earlier('thermal_share_12m_pct', 12, 'month') }} as thermal_share_12m_change_pp
    from months
)

select
    'CN' as subject,
    cast(extract(year from month) as integer) as year,
    month as thermal_newest_month,
    thermal_12m_twh,
    thermal_share_12m_pct,
    thermal_12m_yoy_pct,
    thermal_share_12m_change_pp,
    known_at
from changes
where thermal_12m_twh is not null
qualify row_number() over (partition by extract(year from month) order by month desc) = 1
