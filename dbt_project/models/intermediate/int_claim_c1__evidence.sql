-- C1 fiscal_support. Level and change of the deficit, over twelve months and for the last closed fiscal year.
-- How much of the deficit answers a weak labour market is not here: unemployment is not in the warehouse yet, so the rule's
-- counter-cyclical indicator has no row and reads as missing.
with twelve_months as (
    select * from {{ ref('driver_fiscal') }}
    where deficit_12m_pct_gdp is not null
    order by month desc
    limit 1
),

fiscal_year as (
    select * from {{ ref('driver_fiscal') }}
    where deficit_fy_pct_gdp is not null
    order by fiscal_year desc, month asc
    limit 1
)

select
    'C1' as claim_id,
    'deficit_12m_pct_gdp' as indicator,
    deficit_12m_pct_gdp as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'the deficit of the twelve months to ' || {{ month_text('month') }} || ' was '
    || {{ number_text('deficit_12m_pct_gdp') }} || ' % of GDP' as finding
from twelve_months

union all

select
    'C1' as claim_id,
    'deficit_12m_change_pp' as indicator,
    deficit_12m_change_pp as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'the twelve-month deficit changed by ' || {{ number_text('deficit_12m_change_pp') }}
    || ' points of GDP over the year to ' || {{ month_text('month') }} as finding
from twelve_months

union all

select
    'C1' as claim_id,
    'deficit_fy_pct_gdp' as indicator,
    deficit_fy_pct_gdp as value,
    false as is_lower_bound,
    {{ fiscal_year_start('fiscal_year') }} as period,
    {{ period_end(fiscal_year_start('fiscal_year'), "'us_fiscal_year'") }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'the deficit of fiscal year ' || cast(fiscal_year as varchar) || ' was '
    || {{ number_text('deficit_fy_pct_gdp') }} || ' % of GDP' as finding
from fiscal_year

union all

select
    'C1' as claim_id,
    'deficit_fy_change_pp' as indicator,
    deficit_fy_change_pp as value,
    false as is_lower_bound,
    {{ fiscal_year_start('fiscal_year') }} as period,
    {{ period_end(fiscal_year_start('fiscal_year'), "'us_fiscal_year'") }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'in fiscal year ' || cast(fiscal_year as varchar)
    || case when deficit_fy_change_pp < 0 then ' the deficit narrowed by ' else ' the deficit widened by ' end
    || {{ number_text('abs(deficit_fy_change_pp)') }} || ' points of GDP' as finding
from fiscal_year
