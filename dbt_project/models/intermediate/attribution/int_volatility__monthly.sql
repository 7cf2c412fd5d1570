-- Volatility over the twelve months to each month, as a logarithm: of metals, and of what could drive it. On both sides the standard
-- deviation of twelve monthly changes, since prices are monthly means; policy uncertainty measures dispersion itself, so of it the
-- mean. A month of consumer prices that was never published (October 2025) must not blank a whole year, so of drivers ten changes of
-- twelve suffice. Beside the macroeconomy stand the two engines of the thesis: the federal deficit and the hyperscalers' spending.
with consumer_prices as (
    select
        period as month,
        value as index_value,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_cpi_sa_index'
),

changes as (
    select
        'rates' as driver_id,
        month,
        nominal_10y_yield_pct - {{ months_earlier('nominal_10y_yield_pct', 1, 'month') }} as change,
        known_at
    from {{ ref('driver_monetary') }}

    union all

    select
        'dollar' as driver_id,
        month,
        100 * (ln(broad_dollar_index) - ln({{ months_earlier('broad_dollar_index', 1, 'month') }})) as change,
        known_at
    from {{ ref('driver_monetary') }}

    union all

    select
        'inflation' as driver_id,
        month,
        100 * (ln(index_value) - ln({{ months_earlier('index_value', 1, 'month') }})) as change,
        known_at
    from consumer_prices

    union all

    select
        'fiscal' as driver_id,
        month,
        deficit_12m_pct_gdp - {{ months_earlier('deficit_12m_pct_gdp', 1, 'month') }} as change,
        known_at
    from {{ ref('driver_fiscal') }}

    union all

    select
        'ai_capex' as driver_id,
        month,
        change,
        known_at
    from {{ ref('int_attribution__changes') }}
    where regressor_id = 'ai_capex_growth'
),

volatilities as (
    select
        'driver' as kind,
        driver_id as subject,
        month,
        case
            when change is not null and count(change) over {{ last_months(12, 'month', 'driver_id') }} >= 10
                then ln(nullif(stddev_samp(change) over {{ last_months(12, 'month', 'driver_id') }}, 0))
        end as volatility_log,
        max(known_at) over (partition by driver_id order by month rows between unbounded preceding and current row) as known_at
    from changes

    union all

    select
        'driver' as kind,
        'policy_uncertainty' as subject,
        month,
        {{ over_full_months('avg', 'ln(nullif(epu_us_index, 0))', 12, 'month') }} as volatility_log,
        max(known_at) over (order by month rows between unbounded preceding and current row) as known_at
    from {{ ref('driver_geopolitics') }}

    union all

    select
        'metal' as kind,
        metal_id as subject,
        period as month,
        ln(nullif(realised_volatility_12m_annualised_pct, 0)) as volatility_log,
        known_at
    from {{ ref('metal_prices') }}
    where frequency = 'monthly'
)

select
    kind,
    subject,
    month,
    volatility_log,
    known_at
from volatilities
where volatility_log is not null and month <= {{ last_complete_month() }}
