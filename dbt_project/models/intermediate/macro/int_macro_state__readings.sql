-- Each part of the macro state at its own frequency, with the lag after which it is published and the age at which it is too old.
-- Growth is computed within one series, and then the first publisher that has it is taken: figures of two publishers, or of two
-- bases of an index, are never divided by each other.
with figures as (
    select
        r.indicator_id,
        r.period,
        {{ period_end('r.period', 'r.frequency') }} as period_end,
        r.value,
        {{ months_earlier('r.value', 12, 'r.period', 'r.indicator_id, r.series_id') }} as value_12m_before,
        {{ months_earlier('r.value', 60, 'r.period', 'r.indicator_id, r.series_id') }} as value_60m_before,
        greatest(
            r.known_at,
            coalesce({{ months_earlier('r.known_at', 12, 'r.period', 'r.indicator_id, r.series_id') }}, r.known_at),
            coalesce({{ months_earlier('r.known_at', 60, 'r.period', 'r.indicator_id, r.series_id') }}, r.known_at)
        ) as known_at,
        r.candidate_rank,
        s.publication_lag_days,
        s.staleness_limit_days
    from {{ ref('int_indicators__readings') }} as r
    inner join {{ ref('stg_catalog__series') }} as s on r.series_id = s.series_id
    where
        r.indicator_id in (
            'us_cpi_sa_index', 'us_m2_usd_billions', 'us_industrial_production_index', 'us_fed_funds_pct',
            'us_fiscal_year_deficit_pct_gdp', 'us_trade_openness_pct_gdp', 'world_trade_openness_pct_gdp'
        )
),

levels as (
    select *
    from figures
    qualify row_number() over (partition by indicator_id, period order by candidate_rank) = 1
),

growth as (
    select
        *,
        100 * (value / value_12m_before - 1) as growth_12m_pct
    from figures
    where value_12m_before is not null
    qualify row_number() over (partition by indicator_id, period order by candidate_rank) = 1
),

inflation as (
    select
        *,
        growth_12m_pct - {{ months_earlier('growth_12m_pct', 12, 'period') }} as growth_change_12m_pp,
        greatest(known_at, coalesce({{ months_earlier('known_at', 12, 'period') }}, known_at)) as change_known_at
    from growth
    where indicator_id = 'us_cpi_sa_index'
),

-- What is usual is the mean of the fiscal years since 1960 that had closed by then, ten of them at least.
fiscal_years as (
    select
        *,
        count(value) over (order by period rows between unbounded preceding and current row) as years,
        avg(value) over (order by period rows between unbounded preceding and current row) as mean_value,
        max(known_at) over (order by period rows between unbounded preceding and current row) as mean_known_at
    from levels
    where indicator_id = 'us_fiscal_year_deficit_pct_gdp' and period >= date '1959-07-01'
),

dimensions as (
    select
        'deficit_pct_gdp' as dimension,
        period,
        period_end,
        value,
        publication_lag_days,
        staleness_limit_days,
        known_at
    from fiscal_years

    union all

    select
        'deficit_above_mean_pp' as dimension,
        period,
        period_end,
        value - mean_value as value,
        publication_lag_days,
        staleness_limit_days,
        mean_known_at as known_at
    from fiscal_years
    where years >= 10

    union all

    -- The level of openness has a trend, so its five-year change is compared in place of the level.
    select
        case indicator_id
            when 'us_trade_openness_pct_gdp' then 'trade_openness_change_5y_pp' else 'world_trade_openness_change_5y_pp'
        end as dimension,
        period,
        period_end,
        value - value_60m_before as value,
        publication_lag_days,
        staleness_limit_days,
        known_at
    from levels
    where indicator_id in ('us_trade_openness_pct_gdp', 'world_trade_openness_pct_gdp')

    union all

    select
        'inflation_pct' as dimension,
        period,
        period_end,
        growth_12m_pct as value,
        publication_lag_days,
        staleness_limit_days,
        known_at
    from inflation

    union all

    select
        'inflation_change_12m_pp' as dimension,
        period,
        period_end,
        growth_change_12m_pp as value,
        publication_lag_days,
        staleness_limit_days,
        change_known_at as known_at
    from inflation

    union all

    select
        'real_policy_rate_pct' as dimension,
        f.period,
        f.period_end,
        f.value - i.growth_12m_pct as value,
        greatest(f.publication_lag_days, i.publication_lag_days) as publication_lag_days,
        least(f.staleness_limit_days, i.staleness_limit_days) as staleness_limit_days,
        greatest(f.known_at, i.known_at) as known_at
    from levels as f
    inner join inflation as i on f.period = i.period
    where f.indicator_id = 'us_fed_funds_pct'

    union all

    select
        case indicator_id when 'us_m2_usd_billions' then 'money_growth_pct' else 'industrial_growth_pct' end as dimension,
        period,
        period_end,
        growth_12m_pct as value,
        publication_lag_days,
        staleness_limit_days,
        known_at
    from growth
    where indicator_id in ('us_m2_usd_billions', 'us_industrial_production_index')

    union all

    -- Prices spread in proportion to their level, so the logarithm is compared.
    select
        'real_base_metals_log' as dimension,
        month as period,
        {{ month_end('month') }} as period_end,
        ln(base_metals_real_usd_per_tonne) as value,
        publication_lag_days,
        staleness_limit_days,
        known_at
    from {{ ref('int_metal_prices__deflated') }}
)

select
    dimension,
    cast(period as date) as period,
    period_end,
    value,
    publication_lag_days,
    staleness_limit_days,
    known_at
from dimensions
where value is not null
