-- C1 fiscal_support. Two questions decide: did the part of the deficit that unemployment does not explain widen, and was the
-- labour market weak when it did (twelve months); and the same of the deficit itself in the last closed fiscal year, with
-- industrial production for the cycle. A widening in a strong economy counts against: it is expansion, not counter-cyclical.
-- Levels and plain changes stand beside: they cannot tell a downturn from a boom.
with twelve_months as (
    select * from {{ ref('driver_fiscal') }}
    where deficit_12m_pct_gdp is not null
    order by month desc
    limit 1
),

cycle as (
    select * from {{ ref('driver_fiscal') }}
    where counter_cyclical_impulse_12m_pp is not null
    order by month desc
    limit 1
),

unexplained as (
    select * from {{ ref('driver_fiscal') }}
    where deficit_not_explained_by_unemployment_pct_gdp is not null
    order by month desc
    limit 1
),

interest as (
    select * from {{ ref('driver_fiscal') }}
    where net_interest_12m_pct_of_receipts is not null
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
    'counter_cyclical_impulse_12m_pp' as indicator,
    counter_cyclical_impulse_12m_pp as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'at unchanged unemployment the deficit '
    || case when fiscal_impulse_12m_pp < 0 then 'narrowed by ' else 'widened by ' end
    || {{ number_text('abs(fiscal_impulse_12m_pp)') }} || ' points of GDP over the year to ' || {{ month_text('month') }}
    || ', in a ' || labour_market || ' labour market (unemployment ' || {{ number_text('unemployment_12m_mean_pct') }}
    || ' % over twelve months, ' || {{ number_text('unemployment_usual_pct') }} || ' % usual)' as finding
from cycle

union all

select
    'C1' as claim_id,
    'counter_cyclical_expansion_fy_pp' as indicator,
    counter_cyclical_expansion_fy_pp as value,
    false as is_lower_bound,
    {{ fiscal_year_start('fiscal_year') }} as period,
    {{ period_end(fiscal_year_start('fiscal_year'), "'us_fiscal_year'") }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'in fiscal year ' || cast(fiscal_year as varchar)
    || case when deficit_fy_change_pp < 0 then ' the deficit narrowed by ' else ' the deficit widened by ' end
    || {{ number_text('abs(deficit_fy_change_pp)') }} || ' points of GDP while industrial production '
    || case when industrial_production_fy_growth_pct < 0 then 'fell ' else 'rose ' end
    || {{ number_text('abs(industrial_production_fy_growth_pct)') }} || ' %' as finding
from fiscal_year
where counter_cyclical_expansion_fy_pp is not null

union all

select
    'C1' as claim_id,
    'deficit_not_explained_by_unemployment_pct_gdp' as indicator,
    deficit_not_explained_by_unemployment_pct_gdp as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'unemployment explains ' || {{ number_text('deficit_explained_by_unemployment_pct_gdp') }}
    || ' of the ' || {{ number_text('deficit_12m_pct_gdp') }} || ' % of GDP (' || cast(regression_months as varchar)
    || ' months, R2 ' || {{ number_text('deficit_on_unemployment_r2_ratio', 2) }} || ')' as finding
from unexplained

union all

select
    'C1' as claim_id,
    'deficit_slope_on_unemployment_pp_per_pp' as indicator,
    deficit_slope_on_unemployment_pp_per_pp as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'a point of unemployment has gone with ' || {{ number_text('deficit_slope_on_unemployment_pp_per_pp') }}
    || ' points of GDP of deficit' as finding
from unexplained

union all

select
    'C1' as claim_id,
    'net_interest_12m_pct_of_receipts' as indicator,
    net_interest_12m_pct_of_receipts as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_fiscal' as source_table,
    cast(month as varchar) as source_key,
    'net interest took ' || {{ number_text('net_interest_12m_pct_of_receipts') }} || ' % of receipts over the year to '
    || {{ month_text('month') }} as finding
from interest

union all

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
