-- The premium of the American future over the world price as a divergence: open while the gap, on either side, is wider than
-- what it costs to carry the metal across (seed arbitrage_costs). Prices are in the market's unit: precious metals by the ounce.
with quoted as (
    select
        t.*,
        case when m.family in ('precious', 'platinum_group') then u.usd_per_tonne_factor else 1 end as units_per_tonne,
        case when m.family in ('precious', 'platinum_group') then 'troy ounce' else 'tonne' end as unit
    from {{ ref('divergence_trade_tightness') }} as t
    inner join {{ ref('metals') }} as m on t.metal_id = m.metal_id
    inner join {{ ref('unit_conversions') }} as u on u.unit = 'usd_per_troy_ounce' and u.series_id is null
)

select
    'trade_tightness' as divergence_id,
    metal_id as subject,
    month as period,
    {{ period_text('month', "'monthly'") }} as period_label,
    {{ month_end('month') }} as period_end,
    us_venue || ' price, US dollars per ' || unit as left_label,
    us_price_usd_per_tonne / units_per_tonne as left_value,
    'world price (' || world_price_source || '), US dollars per ' || unit as right_label,
    world_price_usd_per_tonne / units_per_tonne as right_value,
    premium_usd_per_tonne / units_per_tonne as gap,
    premium_zscore_expanding as gap_zscore,
    sign(premium_usd_per_tonne) as direction,
    cast(null as varchar) as members,
    is_gap_above_cost as is_open,
    known_at,
    'divergence_trade_tightness' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key
from quoted
where premium_pct is not null
