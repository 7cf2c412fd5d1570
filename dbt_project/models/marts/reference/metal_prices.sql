-- Returns, volatility and z-score use the native quotation, so a unit without a tonne factor (a barrel) has them too.
-- Nothing is compared across two publishers' quotations: a month that a fallback fills has no return to its neighbour.
-- The z-score is of the logarithm: prices spread in proportion to their level, and a z-score of the level would only say
-- that prices are nominal and high today. It is still a nominal price: real prices are a different column of a later day.
with returns as (
    select
        *,
        ln(price_native) as log_price,
        ln(price_native)
        - ln({{ months_earlier('price_native', 1, 'period', 'metal_id, series_id, definition_from') }}) as return_1m_log,
        100 * (
            price_native
            / {{ months_earlier('price_native', 12, 'period', 'metal_id, series_id, definition_from') }} - 1
        ) as return_12m_pct
    from {{ ref('int_metal_prices__converted') }}
)

select
    metal_id,
    frequency,
    period,
    price_native,
    native_unit,
    price_usd_per_tonne,
    return_1m_log,
    return_12m_pct,
    100 * sqrt(12)
    * {{ over_full_months('stddev_samp', 'return_1m_log', 12, 'period', 'metal_id, series_id, definition_from') }}
        as realised_volatility_12m_annualised_pct,
    {{ expanding_zscore('log_price', 'period', 'metal_id, series_id, definition_from') }} as price_zscore_expanding,
    series_id,
    is_fallback,
    known_at
from returns
