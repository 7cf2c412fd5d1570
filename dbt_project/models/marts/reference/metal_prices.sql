-- Returns, volatility and z-score use the native quotation, so a unit without a tonne factor (a barrel) has them too.
-- Nothing is compared across two publishers' quotations: a month that a fallback fills has no return to its neighbour, and a
-- day's return is to the last quotation of its own series. Those are taken first, within every series, and only then is one
-- quotation per day shown, the most preferred one that the day has: the statistics of a stand-in are its own.
-- The z-score is of the logarithm: prices spread in proportion to their level, and a z-score of the level would only say
-- that prices are nominal and high today. It is still a nominal price; the real one is a column of its own, with its own known_at,
-- because consumer prices are revised and known later than the price.
{% set series = 'metal_id, frequency, series_id, definition_from' %}
with spaced as (
    select
        *,
        ln(price_native) as log_price,
        lag(period) over (partition by {{ series }} order by period) as period_before,
        lag(price_native) over (partition by {{ series }} order by period) as price_before
    from {{ ref('int_metal_prices__converted') }}
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
            when frequency = 'monthly' then {{ expanding_zscore('log_price', 'period', series) }}
        end as price_zscore_expanding,
        max(known_at) over (partition by {{ series }} order by period rows between unbounded preceding and current row)
            as known_at_so_far
    from returns
),

shown as (
    select * from measured
    qualify row_number() over (partition by metal_id, frequency, period order by preference) = 1
),

consumer_prices as (
    select
        period as month,
        value as cpi_index,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_cpi_sa_index'
)

select
    p.metal_id,
    p.frequency,
    p.period,
    p.quotation,
    p.price_native,
    p.native_unit,
    p.price_usd_per_tonne,
    {{ in_constant_dollars('p.price_usd_per_tonne', 'c.cpi_index') }} as price_real_usd_per_tonne,
    p.return_1d_log,
    p.return_1m_log,
    p.return_12m_pct,
    p.realised_volatility_20d_annualised_pct,
    p.realised_volatility_60d_annualised_pct,
    p.realised_volatility_12m_annualised_pct,
    p.price_zscore_expanding,
    p.series_id,
    p.is_fallback,
    p.known_at_so_far as known_at,
    case
        when p.price_usd_per_tonne is not null and c.cpi_index is not null then greatest(p.known_at, c.known_at)
    end as real_price_known_at
from shown as p
left join consumer_prices as c on {{ month_of('p.period') }} = c.month
