-- The premium of the American future over the world price as a divergence: open while the gap, on either side, is wider than
-- what it costs to carry the metal across (seed arbitrage_costs).
select
    'trade_tightness' as divergence_id,
    metal_id as subject,
    month as period,
    {{ period_text('month', "'monthly'") }} as period_label,
    {{ month_end('month') }} as period_end,
    us_venue || ' price, US dollars per tonne' as left_label,
    us_price_usd_per_tonne as left_value,
    'world price (' || world_price_source || '), US dollars per tonne' as right_label,
    world_price_usd_per_tonne as right_value,
    premium_usd_per_tonne as gap,
    premium_zscore_expanding as gap_zscore,
    sign(premium_usd_per_tonne) as direction,
    cast(null as varchar) as members,
    is_gap_above_cost as is_open,
    known_at,
    'divergence_trade_tightness' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key
from {{ ref('divergence_trade_tightness') }}
where premium_pct is not null
