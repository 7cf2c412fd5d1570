-- A deficit is positive and in dollars, whoever publishes it: signs and units are brought together in the indicators.
-- Quarterly and fiscal-year figures stand for later months only up to a limit: two quarters after the quarter's last month,
-- seventeen months after a fiscal year's (twelve until the next one ends, five until it is published).
with monthly as (
    select
        period as month,
        value as deficit_usd,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_deficit_usd'
),

deficits as (
    select
        month,
        deficit_usd,
        {{ over_full_months('sum', 'deficit_usd', 12, 'month') }} as deficit_12m_usd,
        max(known_at) over {{ last_months(12, 'month') }} as known_at
    from monthly
),

-- GDP is published at annual rates: the mean of four quarters is the output of the twelve months the deficit is summed over.
gdp as (
    select
        period as quarter,
        {{ over_full_quarters('avg', 'value', 4, 'period') }} as gdp_4q_usd,
        max(known_at) over {{ last_months(10, 'period') }} as known_at,
        {{ usable_from('period', 3) }} as usable_from,
        {{ usable_to('period', 3, 6) }} as usable_to
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_gdp_usd_saar'
),

debt as (
    select
        period as quarter,
        value as federal_debt_usd,
        known_at,
        {{ usable_from('period', 3) }} as usable_from,
        {{ usable_to('period', 3, 6) }} as usable_to
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_federal_debt_usd'
),

debt_share as (
    select
        period as quarter,
        value as federal_debt_pct_gdp,
        known_at,
        {{ usable_from('period', 3) }} as usable_from,
        {{ usable_to('period', 3, 6) }} as usable_to
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_federal_debt_pct_gdp'
),

-- A fiscal year starts in October and is named by the year it ends in.
fiscal_years as (
    select
        period as fiscal_year_start,
        cast(year(period) + 1 as integer) as fiscal_year,
        value as deficit_fy_pct_gdp,
        value - {{ months_earlier('value', 12, 'period') }} as deficit_fy_change_pp,
        known_at,
        {{ usable_from('period', 12) }} as usable_from,
        {{ usable_to('period', 12, 17) }} as usable_to
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_fiscal_year_deficit_pct_gdp'
),

first_month as (
    select min(period) as month
    from {{ ref('int_indicators__resolved') }}
    where indicator_id in ('us_deficit_usd', 'us_federal_debt_usd')
),

months as (
    {{ month_spine('(select month from first_month)', last_complete_month()) }}
),

joined as (
    select
        m.month,
        d.deficit_usd,
        d.deficit_12m_usd,
        gdp.gdp_4q_usd,
        100 * d.deficit_12m_usd / gdp.gdp_4q_usd as deficit_12m_pct_gdp,
        debt.federal_debt_usd,
        debt_share.federal_debt_pct_gdp,
        f.fiscal_year,
        f.deficit_fy_pct_gdp,
        f.deficit_fy_change_pp,
        gdp.quarter as gdp_quarter,
        {{ dbt.datediff('gdp.usable_from', 'm.month', 'month') }} as gdp_age_months,
        debt.quarter as federal_debt_quarter,
        {{ dbt.datediff('debt.usable_from', 'm.month', 'month') }} as federal_debt_age_months,
        debt_share.quarter as federal_debt_pct_gdp_quarter,
        {{ dbt.datediff('debt_share.usable_from', 'm.month', 'month') }} as federal_debt_pct_gdp_age_months,
        {{ dbt.datediff('f.usable_from', 'm.month', 'month') }} as fiscal_year_age_months,
        nullif(
            greatest(
                coalesce(d.known_at, timestamp '1900-01-01'),
                coalesce(gdp.known_at, timestamp '1900-01-01'),
                coalesce(debt.known_at, timestamp '1900-01-01'),
                coalesce(debt_share.known_at, timestamp '1900-01-01'),
                coalesce(f.known_at, timestamp '1900-01-01')
            ),
            timestamp '1900-01-01'
        ) as known_at
    from months as m
    left join deficits as d on m.month = d.month
    left join gdp on m.month >= gdp.usable_from and m.month < gdp.usable_to
    left join debt on m.month >= debt.usable_from and m.month < debt.usable_to
    left join debt_share on m.month >= debt_share.usable_from and m.month < debt_share.usable_to
    left join fiscal_years as f on m.month >= f.usable_from and m.month < f.usable_to
)

select
    month,
    deficit_usd,
    deficit_12m_usd,
    gdp_4q_usd,
    deficit_12m_pct_gdp,
    deficit_12m_pct_gdp - {{ months_earlier('deficit_12m_pct_gdp', 12, 'month') }} as deficit_12m_change_pp,
    federal_debt_usd,
    federal_debt_pct_gdp,
    fiscal_year,
    deficit_fy_pct_gdp,
    deficit_fy_change_pp,
    gdp_quarter,
    cast(gdp_age_months as integer) as gdp_age_months,
    federal_debt_quarter,
    cast(federal_debt_age_months as integer) as federal_debt_age_months,
    federal_debt_pct_gdp_quarter,
    cast(federal_debt_pct_gdp_age_months as integer) as federal_debt_pct_gdp_age_months,
    cast(fiscal_year_age_months as integer) as fiscal_year_age_months,
    known_at
from joined
