-- A deficit is positive and in dollars for every publisher: the indicators unify signs and units.
-- Quarterly and fiscal-year figures stand for later months only up to a limit: two quarters after the quarter's last month,
-- seventeen months after a fiscal year's (twelve until the next one ends, five until it is published).
-- What unemployment explains of the deficit is an expanding regression: month M uses months up to M (docs/methods/fiscal_and_risk.md).
{% set min_regression_months = 120 %}
{% set min_unemployment_months = 11 %} {# of twelve: October 2025 was never published #}
{% set downturn_pp = 0.5 %}
with flows as (
    select
        period as month,
        {{ indicator_value('us_deficit_usd') }} as deficit_usd,
        {{ indicator_value('us_outlays_usd') }} as outlays_usd,
        {{ indicator_value('us_receipts_usd') }} as receipts_usd,
        {{ indicator_value('us_net_interest_usd') }} as net_interest_usd,
        max(known_at) as known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id in ('us_deficit_usd', 'us_outlays_usd', 'us_receipts_usd', 'us_net_interest_usd')
    group by period
),

sums as (
    select
        month,
        deficit_usd,
        {{ over_full_months('sum', 'deficit_usd', 12, 'month') }} as deficit_12m_usd,
        {{ over_full_months('sum', 'outlays_usd', 12, 'month') }} as outlays_12m_usd,
        {{ over_full_months('sum', 'receipts_usd', 12, 'month') }} as receipts_12m_usd,
        {{ over_full_months('sum', 'net_interest_usd', 12, 'month') }} as net_interest_12m_usd,
        max(known_at) over {{ last_months(24, 'month') }} as known_at
    from flows
),

-- GDP is published at annual rates: the mean of four quarters is the output of the twelve months the deficit is summed over.
gdp as (
    select
        period as quarter,
        {{ over_full_quarters('avg', 'value', 4, 'period') }} as gdp_4q_usd,
        max(known_at) over {{ last_months(22, 'period') }} as known_at,  -- the change on a year before reads four more
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

unemployment_means as (
    select
        period as month,
        {{ mean_of_most_months('value', 12, min_unemployment_months, 'period') }} as unemployment_12m_mean_pct,
        count(value) over {{ last_months(12, 'period') }} as unemployment_months,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_unemployment_rate_pct'
),

-- Weak: unemployment is rising as in a recession, or above its usual level of all months up to this one.
unemployment as (
    select
        month,
        unemployment_12m_mean_pct,
        unemployment_months,
        unemployment_12m_mean_pct - {{ months_earlier('unemployment_12m_mean_pct', 12, 'month') }} as unemployment_change_12m_pp,
        case
            when count(unemployment_12m_mean_pct) over all_months >= {{ min_regression_months }}
                then avg(unemployment_12m_mean_pct) over all_months
        end as unemployment_usual_pct,
        max(known_at) over all_months as known_at
    from unemployment_means
    window all_months as (order by month rows between unbounded preceding and current row)
),

-- Over twelve months, so that the fiscal year's last month carries the fiscal year. Within one publisher's series: another
-- may have another base year.
industry as (
    select
        period as month,
        series_id,
        {{ over_full_months('avg', 'value', 12, 'period', 'series_id') }} as output_12m_mean,
        max(known_at) over {{ last_months(24, 'period', 'series_id') }} as known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_industrial_production_index'
),

industry_growth as (
    select
        month,
        100 * (output_12m_mean / {{ months_earlier('output_12m_mean', 12, 'month', 'series_id') }} - 1) as growth_pct,
        known_at
    from industry
),

-- A fiscal year starts in October and is named by the year it ends in.
fiscal_year_deficits as (
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

fiscal_years as (
    select
        f.fiscal_year,
        f.deficit_fy_pct_gdp,
        f.deficit_fy_change_pp,
        i.growth_pct as industrial_production_fy_growth_pct,
        {{ counter_cyclical('f.deficit_fy_change_pp', 'i.growth_pct < 0') }} as counter_cyclical_expansion_fy_pp,
        greatest(f.known_at, coalesce(i.known_at, f.known_at)) as known_at,
        f.usable_from,
        f.usable_to
    from fiscal_year_deficits as f
    left join industry_growth as i on f.usable_from = i.month
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
        s.deficit_usd,
        s.deficit_12m_usd,
        s.outlays_12m_usd,
        s.receipts_12m_usd,
        s.net_interest_12m_usd,
        gdp.gdp_4q_usd,
        100 * s.deficit_12m_usd / gdp.gdp_4q_usd as deficit_12m_pct_gdp,
        u.unemployment_12m_mean_pct,
        u.unemployment_months,
        u.unemployment_change_12m_pp,
        u.unemployment_usual_pct,
        debt.federal_debt_usd,
        debt_share.federal_debt_pct_gdp,
        f.fiscal_year,
        f.deficit_fy_pct_gdp,
        f.deficit_fy_change_pp,
        f.industrial_production_fy_growth_pct,
        f.counter_cyclical_expansion_fy_pp,
        gdp.quarter as gdp_quarter,
        {{ dbt.datediff('gdp.usable_from', 'm.month', 'month') }} as gdp_age_months,
        debt.quarter as federal_debt_quarter,
        {{ dbt.datediff('debt.usable_from', 'm.month', 'month') }} as federal_debt_age_months,
        debt_share.quarter as federal_debt_pct_gdp_quarter,
        {{ dbt.datediff('debt_share.usable_from', 'm.month', 'month') }} as federal_debt_pct_gdp_age_months,
        {{ dbt.datediff('f.usable_from', 'm.month', 'month') }} as fiscal_year_age_months,
        {%- set inputs = ['s', 'gdp', 'debt', 'debt_share', 'f', 'u'] %}
        nullif(
            greatest(
                {%- for input in inputs %}
                    coalesce({{ input }}.known_at, timestamp '1900-01-01'){{ ',' if not loop.last }}
                {%- endfor %}
            ),
            timestamp '1900-01-01'
        ) as known_at
    from months as m
    left join sums as s on m.month = s.month
    left join unemployment as u on m.month = u.month
    left join gdp on m.month >= gdp.usable_from and m.month < gdp.usable_to
    left join debt on m.month >= debt.usable_from and m.month < debt.usable_to
    left join debt_share on m.month >= debt_share.usable_from and m.month < debt_share.usable_to
    left join fiscal_years as f on m.month >= f.usable_from and m.month < f.usable_to
),

changed as (
    select
        *,
        deficit_12m_pct_gdp - {{ months_earlier('deficit_12m_pct_gdp', 12, 'month') }} as deficit_12m_change_pp,
        regr_count(deficit_12m_pct_gdp, unemployment_12m_mean_pct) over up_to_now as regression_months,
        {% for statistic in ['slope', 'intercept', 'r2'] -%}
            {{ expanding_regression(
                statistic, 'deficit_12m_pct_gdp', 'unemployment_12m_mean_pct', 'month', min_regression_months
            ) }} as regression_{{ statistic }},
        {% endfor -%}
        case
            when unemployment_12m_mean_pct is null or unemployment_change_12m_pp is null or unemployment_usual_pct is null then null
            when unemployment_change_12m_pp >= {{ downturn_pp }} then 'weak'
            when unemployment_12m_mean_pct > unemployment_usual_pct then 'weak'
            else 'tight'
        end as labour_market,
        -- Statistics over history become known with the latest figure in it.
        max(case when deficit_12m_pct_gdp is not null and unemployment_12m_mean_pct is not null then known_at end)
            over up_to_now as regression_known_at
    from joined
    window up_to_now as (order by month rows between unbounded preceding and current row)
),

explained as (
    select
        *,
        regression_intercept + regression_slope * unemployment_12m_mean_pct as deficit_explained_by_unemployment_pct_gdp,
        deficit_12m_change_pp - regression_slope * unemployment_change_12m_pp as fiscal_impulse_12m_pp
    from changed
)

select
    month,
    deficit_usd,
    deficit_12m_usd,
    gdp_4q_usd,
    deficit_12m_pct_gdp,
    deficit_12m_change_pp,
    outlays_12m_usd,
    100 * (outlays_12m_usd / {{ months_earlier('outlays_12m_usd', 12, 'month') }} - 1) as outlays_12m_yoy_pct,
    receipts_12m_usd,
    net_interest_12m_usd,
    100 * net_interest_12m_usd / receipts_12m_usd as net_interest_12m_pct_of_receipts,
    unemployment_12m_mean_pct,
    cast(unemployment_months as integer) as unemployment_months,
    unemployment_change_12m_pp,
    unemployment_usual_pct,
    labour_market,
    case when unemployment_12m_mean_pct is not null and deficit_12m_pct_gdp is not null then regression_slope end
        as deficit_slope_on_unemployment_pp_per_pp,
    case when unemployment_12m_mean_pct is not null and deficit_12m_pct_gdp is not null then regression_r2 end
        as deficit_on_unemployment_r2_ratio,
    cast(regression_months as integer) as regression_months,
    deficit_explained_by_unemployment_pct_gdp,
    deficit_12m_pct_gdp - deficit_explained_by_unemployment_pct_gdp as deficit_not_explained_by_unemployment_pct_gdp,
    fiscal_impulse_12m_pp,
    {{ counter_cyclical('fiscal_impulse_12m_pp', "labour_market = 'weak'") }} as counter_cyclical_impulse_12m_pp,
    case
        when deficit_12m_pct_gdp is null then 'no deficit of twelve months as a share of GDP'
        when unemployment_12m_mean_pct is null then 'no unemployment rate'
        when regression_months < {{ min_regression_months }} then 'fewer than {{ min_regression_months }} months with both'
        when regression_slope is null then 'unemployment has not varied'
    end as not_explained_gap_reason,
    federal_debt_usd,
    federal_debt_pct_gdp,
    fiscal_year,
    deficit_fy_pct_gdp,
    deficit_fy_change_pp,
    industrial_production_fy_growth_pct,
    counter_cyclical_expansion_fy_pp,
    gdp_quarter,
    cast(gdp_age_months as integer) as gdp_age_months,
    federal_debt_quarter,
    cast(federal_debt_age_months as integer) as federal_debt_age_months,
    federal_debt_pct_gdp_quarter,
    cast(federal_debt_pct_gdp_age_months as integer) as federal_debt_pct_gdp_age_months,
    cast(fiscal_year_age_months as integer) as fiscal_year_age_months,
    greatest(
        known_at,
        coalesce(case when deficit_explained_by_unemployment_pct_gdp is not null then regression_known_at end, known_at)
    ) as known_at
from explained
