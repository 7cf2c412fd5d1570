-- What is each metal's newest monthly price, its change over twelve months, its volatility, and the z-score of its real price?
select
    metal_id, period as month, round(price_native, 2) as price_native, native_unit,
    round(return_12m_pct, 1) as return_12m_pct,
    round(realised_volatility_12m_annualised_pct, 1) as realised_volatility_12m_annualised_pct,
    round(real_price_zscore_expanding, 2) as real_price_zscore
from metal_prices
where frequency = 'monthly'
qualify row_number() over (partition by metal_id order by period desc) = 1
order by return_12m_pct desc nulls last
