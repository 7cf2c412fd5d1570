-- Returns, volatility and z-score use the native quotation, so a unit without a tonne factor (a barrel) has them too.
-- Nothing is compared across two publishers' quotations: a month that a fallback fills has no return to its neighbour, and a
-- day's return is to the last quotation of its own series. Those are taken first, within every series, and only then is one
-- quotation per day shown, the most preferred one that the day has: the statistics of a stand-in are its own.
-- The z-score is of the logarithm of the real price: prices spread in proportion to their level, and a z-score of a nominal one
-- would only say that consumer prices have risen since. Real price and z-score have their own known_at, because consumer prices are
-- revised and known later than the price.
{% set series = 'metal_id, frequency, series_id, definition_from' %}
with consumer_prices as (
    select
        period as month,
        value as cpi_index,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_cpi_sa_index'
),

-- Of the months, the default publisher's or, where it has none, the next one's. Of the days, every quotation.
candidates as (
    select * from {{ ref('int_metal_prices__converted') }}
    qualify frequency = 'daily' or row_number() over (partition by metal_id, frequency, period order by preference) = 1
),

spaced as (
    select
        p.*,
        {{ in_constant_dollars('p.price_usd_per_tonne', 'c.cpi_index') }} as price_real_usd_per_tonne,
        case
            when p.price_usd_per_tonne is not null and c.cpi_index is not null then greatest(p.known_at, c.known_at)
        end as real_known_at,
        lag(p.period) over (partition by {{ series }} order by p.period) as period_before,
        lag(p.price_native) over (partition by {{ series }} order by p.period) as price_before
    from candidates as p
    left join consumer_prices as c on {{ month_of('p.period') }} = c.month
),

returns as (
    select
        *,
        -- A silence longer than the catalogue allows the series is missing data, not a holiday.
        case
            when frequency = 'daily' and {{ dbt.datediff('period_before', 'period', 'day') }} <= longest_silence_days
                then ln(price_native) - ln(price_before)
        end as return_1d_log,
        case
            when frequency = 'monthly' then ln(price_native) - ln({{ months_earlier('price_native', 1, 'period', series) }})
        end as return_1m_log,
        case
            when frequency = 'monthly' then 100 * (price_native / {{ months_earlier('price_native', 12, 'period', series) }} - 1)
        end as return_12m_pct
    from spaced
),

measured as (
    select
        *,
        {{ realised_volatility_of_days('return_1d_log', 20, 'period', series) }} as realised_volatility_20d_annualised_pct,
        {{ realised_volatility_of_days('return_1d_log', 60, 'period', series) }} as realised_volatility_60d_annualised_pct,
        100 * sqrt(12) * {{ over_full_months('stddev_samp', 'return_1m_log', 12, 'period', series) }}
            as realised_volatility_12m_annualised_pct,
        case
            when frequency = 'monthly' then {{ expanding_zscore('ln(price_real_usd_per_tonne)', 'period', series) }}
        end as real_price_zscore_expanding,
        max(real_known_at) over (partition by {{ series }} order by period rows between unbounded preceding and current row)
            as real_known_at_so_far,
        max(known_at) over (partition by {{ series }} order by period rows between unbounded preceding and current row)
            as known_at_so_far
    from returns
),

shown as (
    select * from measured
    qualify row_number() over (partition by metal_id, frequency, period order by preference) = 1
),

-- The place of the last twelve months among the metal's months so far.
volatility_places as (
    select
        now.metal_id,
        now.period,
        case
            when count(*) >= 24
                then
                    100.0 * sum(
                        case
                            when before.realised_volatility_12m_annualised_pct <= now.realised_volatility_12m_annualised_pct then 1
                            else 0
                        end
                    ) / count(*)
        end as percentile,
        max(before.known_at_so_far) as known_at
    from shown as now
    inner join shown as before
        on now.metal_id = before.metal_id and now.frequency = before.frequency and now.period >= before.period
    where
        now.frequency = 'monthly'
        and now.realised_volatility_12m_annualised_pct is not null
        and before.realised_volatility_12m_annualised_pct is not null
        and before.period >= {{ volatility_history_from() }}
    group by now.metal_id, now.period
)

select
    p.metal_id,
    p.frequency,
    p.period,
    p.quotation,
    p.price_native,
    p.native_unit,
    p.price_usd_per_tonne,
    p.price_real_usd_per_tonne,
    p.return_1d_log,
    p.return_1m_log,
    p.return_12m_pct,
    p.realised_volatility_20d_annualised_pct,
    p.realised_volatility_60d_annualised_pct,
    p.realised_volatility_12m_annualised_pct,
    v.percentile as realised_volatility_12m_percentile,
    case when p.price_real_usd_per_tonne is not null then p.real_price_zscore_expanding end as real_price_zscore_expanding,
    p.series_id,
    p.is_fallback,
    {{ latest_of(['p.known_at_so_far', 'v.known_at']) }} as known_at,
    case when p.price_real_usd_per_tonne is not null then p.real_known_at_so_far end as real_price_known_at
from shown as p
left join volatility_places as v on p.frequency = 'monthly' and p.metal_id = v.metal_id and p.period = v.period
