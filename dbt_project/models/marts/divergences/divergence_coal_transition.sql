-- Coal's share of electricity: how fast it moved over the last five years, against the five before. Countries and the group
-- go through one formula; the group is the sum of the same countries in all ten years.
{% set slower_by_pp_per_year = 0.2 %}
with member_years as (
    select
        m.subject,
        m.year,
        g.year as figure_year,
        count(distinct m.country_id) as countries,
        {{ exact_sum('g.coal_twh') }} as coal_twh,
        {{ exact_sum('g.electricity_twh') }} as electricity_twh,
        max(g.known_at) as known_at
    from {{ ref('int_coal__members') }} as m
    inner join {{ ref('int_coal__generation') }} as g
        on m.country_id = g.country_id and m.year >= g.year and m.year - 9 <= g.year
    group by m.subject, m.year, g.year
),

shares as (
    select
        *,
        100.0 * coal_twh / nullif(electricity_twh, 0) as coal_share_pct
    from member_years
),

windows as (
    select
        subject,
        year,
        max(case when figure_year = year then countries end) as countries,
        max(case when figure_year = year then coal_twh end) as coal_twh,
        max(case when figure_year = year then electricity_twh end) as electricity_twh,
        max(case when figure_year = year then coal_share_pct end) as coal_share_pct,
        max(case when figure_year = year - 1 then coal_twh end) as coal_year_ago_twh,
        max(case when figure_year = year - 1 then coal_share_pct end) as coal_share_year_ago_pct,
        {% for measure in ['coal_share_pct', 'coal_twh'] %}
            {{ slope_over(measure, 'figure_year', 'figure_year > year - 5', 5) }} as {{ measure }}_slope,
            {{ slope_over(measure, 'figure_year', 'figure_year <= year - 5', 5) }} as {{ measure }}_slope_before,
        {% endfor %}
        max(known_at) as known_at
    from shares
    group by subject, year
),

years as (
    select
        subject,
        year
    from windows
    union
    select
        subject,
        year
    from {{ ref('int_coal__trailing_months') }}
    union
    select
        subject,
        year
    from {{ ref('int_coal__china_thermal') }}
),

joined as (
    select
        y.subject,
        y.year,
        w.countries,
        w.coal_twh,
        w.electricity_twh,
        w.coal_share_pct,
        w.coal_twh - w.coal_year_ago_twh as coal_change_twh,
        w.coal_share_pct - w.coal_share_year_ago_pct as coal_share_change_pp,
        w.coal_share_pct_slope,
        w.coal_share_pct_slope_before,
        w.coal_share_pct_slope - w.coal_share_pct_slope_before as slope_change,
        w.coal_twh_slope,
        w.coal_twh_slope_before,
        t.newest_month,
        t.coal_12m_twh,
        t.electricity_12m_twh,
        t.coal_share_12m_pct,
        t.coal_12m_yoy_pct,
        t.coal_share_12m_change_pp,
        h.thermal_newest_month,
        h.thermal_12m_twh,
        h.thermal_share_12m_pct,
        h.thermal_12m_yoy_pct,
        h.thermal_share_12m_change_pp,
        {{ latest_of(['w.known_at', 't.known_at', 'h.known_at']) }} as known_at
    from years as y
    left join windows as w on y.subject = w.subject and y.year = w.year
    left join {{ ref('int_coal__trailing_months') }} as t on y.subject = t.subject and y.year = t.year
    left join {{ ref('int_coal__china_thermal') }} as h on y.subject = h.subject and y.year = h.year
),

followed as (
    select count(*) as countries_expected from {{ ref('emerging_asia') }}
),

slowing_countries as (
    select
        year,
        count(slope_change) as countries_with_slopes,
        sum(case when slope_change >= {{ slower_by_pp_per_year }} then 1 else 0 end) as countries_slowing
    from joined
    where subject <> 'emerging_asia'
    group by year
)

select
    j.subject,
    coalesce(c.country, 'Emerging Asia') as name,
    j.year,
    cast(j.countries as integer) as countries,
    cast(case when j.subject = 'emerging_asia' then cast(j.countries as double) / a.countries_expected end as double) as coverage_ratio,
    cast(j.coal_twh as double) as coal_twh,
    cast(j.electricity_twh as double) as electricity_twh,
    cast(j.coal_share_pct as double) as coal_share_pct,
    cast(j.coal_change_twh as double) as coal_change_twh,
    cast(j.coal_share_change_pp as double) as coal_share_change_pp,
    cast(j.coal_share_pct_slope as double) as coal_share_slope_pp_per_year,
    cast(j.coal_share_pct_slope_before as double) as coal_share_slope_before_pp_per_year,
    cast(j.slope_change as double) as slope_change_pp_per_year,
    cast(j.coal_twh_slope as double) as coal_slope_twh_per_year,
    cast(j.coal_twh_slope_before as double) as coal_slope_before_twh_per_year,
    j.slope_change >= {{ slower_by_pp_per_year }} as phase_out_slows,
    cast(case when j.subject = 'emerging_asia' then s.countries_with_slopes end as integer) as countries_with_slopes,
    cast(case when j.subject = 'emerging_asia' then s.countries_slowing end as integer) as countries_slowing,
    j.newest_month,
    cast(j.coal_12m_twh as double) as coal_12m_twh,
    cast(j.electricity_12m_twh as double) as electricity_12m_twh,
    cast(j.coal_share_12m_pct as double) as coal_share_12m_pct,
    cast(j.coal_12m_yoy_pct as double) as coal_12m_yoy_pct,
    cast(j.coal_share_12m_change_pp as double) as coal_share_12m_change_pp,
    j.thermal_newest_month,
    cast(j.thermal_12m_twh as double) as thermal_12m_twh,
    cast(j.thermal_share_12m_pct as double) as thermal_share_12m_pct,
    cast(j.thermal_12m_yoy_pct as double) as thermal_12m_yoy_pct,
    cast(j.thermal_share_12m_change_pp as double) as thermal_share_12m_change_pp,
    case
        when j.coal_share_pct is null and coalesce(j.newest_month, j.thermal_newest_month) is not null
            then 'no yearly figures yet, months only'
        when j.coal_share_pct is null then 'coal or all sources missing for the year'
        when j.coal_share_pct_slope is null then 'fewer than five full years to this one'
        when j.coal_share_pct_slope_before is null then 'fewer than ten full years to this one'
    end as gap_reason,
    cast(j.known_at as timestamp) as known_at
from joined as j
left join {{ ref('emerging_asia') }} as c on j.subject = c.country_id
left join slowing_countries as s on j.year = s.year
cross join followed as a
