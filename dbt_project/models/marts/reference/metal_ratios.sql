-- Ratios of native quotations of the same month; the unit of each ratio is in its name.
with prices as (
    select
        period as month,
        max(case when metal_id = 'gold' then price_native end) as gold_usd_per_troy_ounce,
        max(case when metal_id = 'silver' then price_native end) as silver_usd_per_troy_ounce,
        max(case when metal_id = 'platinum' then price_native end) as platinum_usd_per_troy_ounce,
        max(case when metal_id = 'palladium' then price_native end) as palladium_usd_per_troy_ounce,
        max(case when metal_id = 'copper' then price_native end) as copper_usd_per_tonne,
        max(known_at) as known_at
    from {{ ref('metal_prices') }}
    where frequency = 'monthly' and metal_id in ('gold', 'silver', 'platinum', 'palladium', 'copper')
    group by period
),

ratios as (
    select
        month,
        gold_usd_per_troy_ounce / silver_usd_per_troy_ounce as gold_silver_ounces_per_ounce,
        copper_usd_per_tonne / gold_usd_per_troy_ounce as copper_gold_ounces_per_tonne,
        platinum_usd_per_troy_ounce / gold_usd_per_troy_ounce as platinum_gold_ounces_per_ounce,
        platinum_usd_per_troy_ounce / palladium_usd_per_troy_ounce as platinum_palladium_ounces_per_ounce,
        known_at
    from prices
)

select
    month,
    gold_silver_ounces_per_ounce,
    {{ expanding_zscore('gold_silver_ounces_per_ounce', 'month') }} as gold_silver_zscore_expanding,
    copper_gold_ounces_per_tonne,
    {{ expanding_zscore('copper_gold_ounces_per_tonne', 'month') }} as copper_gold_zscore_expanding,
    platinum_gold_ounces_per_ounce,
    {{ expanding_zscore('platinum_gold_ounces_per_ounce', 'month') }} as platinum_gold_zscore_expanding,
    platinum_palladium_ounces_per_ounce,
    {{ expanding_zscore('platinum_palladium_ounces_per_ounce', 'month') }} as platinum_palladium_zscore_expanding,
    known_at
from ratios
