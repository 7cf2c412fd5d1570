-- Twelve months to the newest month of each calendar year, by country and for the countries together that have months.
{% set monthly_countries = 8 %}  -- all but Indonesia
with months as (
    select
        c.country_id,
        r.period as month,
        max(case when r.indicator_id like '%_coal_generation_monthly_twh' then r.value end) as coal_twh,
        max(case when r.indicator_id like '%_electricity_generation_monthly_twh' then r.value end) as electricity_twh,
        max(r.known_at) as known_at
    from {{ ref('int_indicators__resolved') }} as r
    inner join {{ ref('emerging_asia') }} as c
        on
            r.indicator_id = lower(c.country_id) || '_coal_generation_monthly_twh'
            or r.indicator_id = lower(c.country_id) || '_electricity_generation_monthly_twh'
    group by c.country_id, r.period
),

-- A month of the group needs every country that publishes months, so that a late country is not read as a fall.
with_group as (
    select
        country_id as subject,
        month,
        coal_twh,
        electricity_twh,
        known_at
    from months
    where coal_twh is not null and electricity_twh is not null
    union all
    select
        'emerging_asia' as subject,
        month,
        {{ exact_sum('coal_twh') }} as coal_twh,
        {{ exact_sum('electricity_twh') }} as electricity_twh,
        max(known_at) as known_at
    from months
    where coal_twh is not null and electricity_twh is not null
    group by month
    having count(*) = {{ monthly_countries }}
),

sums as (
    select
        subject,
        month,
        {{ over_full_months('sum', 'coal_twh', 12, 'month', 'subject') }} as coal_12m_twh,
        {{ over_full_months('sum', 'electricity_twh', 12, 'month', 'subject') }} as electricity_12m_twh,
        max(known_at) over {{ last_months(24, 'month', 'subject') }} as known_at
    from with_group
),

grown as (
    select
        *,
        100.0 * coal_12m_twh / electricity_12m_twh as coal_share_12m_pct,
        {{ months_earlier('coal_12m_twh', 12, 'month', 'subject') }} as coal_12m_year_ago_twh,
        {{ months_earlier('100.0 * coal_12m_twh / electricity_12m_twh', 12, 'month', 'subject') }} as coal_share_12m_year_ago_pct
    from sums
)

select
    subject,
    cast(extract(year from month) as integer) as year,
    month as newest_month,
    coal_12m_twh,
    electricity_12m_twh,
    coal_share_12m_pct,
    {{ growth_pct('coal_12m_twh', 'coal_12m_year_ago_twh') }} as coal_12m_yoy_pct,
    coal_share_12m_pct - coal_share_12m_year_ago_pct as coal_share_12m_change_pp,
    known_at
from grown
where coal_12m_twh is not null
qualify row_number() over (partition by subject, extract(year from month) order by month desc) = 1
