-- Where the metal is, and what it costs there: the American future over the world price, and who holds the exchange stocks.
-- The future is a continuous front-month contract without adjustment at the roll, one to two months from delivery, so a premium
-- over a cash price holds the carry to it; seed arbitrage_costs says from where on a gap is more than that.
{% set premium_pct = '100 * (p.us_price_usd_per_tonne / p.world_price_usd_per_tonne - 1)' %}
{% set is_plausible = 'abs(' ~ premium_pct ~ ') <= c.plausible_premium_pct' %}
with months as (
    select
        metal_id,
        month
    from {{ ref('int_trade_tightness__prices') }}
    union
    select
        metal_id,
        month
    from {{ ref('int_trade_tightness__stocks') }}
    union
    select
        i.metal_id,
        i.month
    from {{ ref('int_trade_imports__monthly') }} as i
    inner join {{ ref('arbitrage_costs') }} as c on i.metal_id = c.metal_id
    where i.product_group = 'refined' and i.month <= {{ last_complete_month() }}
),

duties as (
    select
        period as month,
        value as us_customs_duties_usd,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_customs_duties_usd'
),

goods_imports as (
    select
        period as month,
        value as us_goods_imports_usd,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_goods_imports_usd'
),

joined as (
    select
        m.metal_id,
        m.month,
        p.us_venue,
        p.us_price_usd_per_tonne,
        p.us_price_days,
        p.world_price_source,
        p.world_price_usd_per_tonne,
        case when {{ is_plausible }} then p.us_price_usd_per_tonne - p.world_price_usd_per_tonne end as premium_usd_per_tonne,
        case when {{ is_plausible }} then {{ premium_pct }} end as premium_pct,
        case
            when p.metal_id is null
                then 'no closes of the American future in the warehouse (its source is for personal use and off by default)'
            when not {{ is_plausible }}
                then
                    'implausible: ' || {{ number_text(premium_pct) }} || ' %, where '
                    || {{ number_text('c.plausible_premium_pct', 0) }} || ' % is the most that is believed'
            else p.premium_reason
        end as premium_reason,
        c.arbitrage_cost_pct,
        s.comex_stock_tonnes,
        s.lme_stock_tonnes,
        s.shfe_stock_tonnes,
        s.total_stock_tonnes,
        case
            when s.metal_id is null
                then 'no exchange stocks in the warehouse (their sources are for personal use and off by default)'
            else s.total_stock_reason
        end as total_stock_reason,
        100 * s.comex_stock_tonnes / nullif(s.total_stock_tonnes, 0) as us_share_of_stock_pct,
        s.stock_outside_us_tonnes,
        i.imports_12m_tonnes as us_refined_imports_12m_tonnes,
        i.imports_12m_usd as us_refined_imports_12m_usd,
        d.us_customs_duties_usd,
        100 * d.us_customs_duties_usd / nullif(g.us_goods_imports_usd, 0) as customs_duties_pct_of_imports,
        case
            when d.month is null then 'customs duties of the month are not in the warehouse'
            when g.month is null then 'goods imports of the month are not in the warehouse (no such series is tracked yet)'
        end as customs_duties_reason,
        nullif(
            greatest(
                coalesce(p.known_at, timestamp '1900-01-01'),
                coalesce(s.known_at, timestamp '1900-01-01'),
                coalesce(i.known_at, timestamp '1900-01-01'),
                coalesce(d.known_at, timestamp '1900-01-01'),
                coalesce(g.known_at, timestamp '1900-01-01')
            ),
            timestamp '1900-01-01'
        ) as known_at
    from months as m
    inner join {{ ref('arbitrage_costs') }} as c on m.metal_id = c.metal_id
    left join {{ ref('int_trade_tightness__prices') }} as p on m.metal_id = p.metal_id and m.month = p.month
    left join {{ ref('int_trade_tightness__stocks') }} as s on m.metal_id = s.metal_id and m.month = s.month
    left join {{ ref('int_trade_imports__monthly') }} as i
        on m.metal_id = i.metal_id and m.month = i.month and i.product_group = 'refined'
    left join duties as d on m.month = d.month
    left join goods_imports as g on m.month = g.month
)

select
    metal_id,
    month,
    us_venue,
    us_price_usd_per_tonne,
    us_price_days,
    world_price_source,
    world_price_usd_per_tonne,
    premium_usd_per_tonne,
    premium_pct,
    {{ expanding_zscore('premium_pct', 'month', 'metal_id, world_price_source') }} as premium_zscore_expanding,
    premium_reason,
    arbitrage_cost_pct,
    abs(premium_pct) > arbitrage_cost_pct as is_gap_above_cost,
    comex_stock_tonnes,
    lme_stock_tonnes,
    shfe_stock_tonnes,
    total_stock_tonnes,
    total_stock_tonnes - {{ months_earlier('total_stock_tonnes', 12, 'month', 'metal_id') }} as total_stock_change_12m_tonnes,
    total_stock_reason,
    us_share_of_stock_pct,
    us_share_of_stock_pct - {{ months_earlier('us_share_of_stock_pct', 12, 'month', 'metal_id') }}
        as us_share_of_stock_change_12m_pp,
    stock_outside_us_tonnes,
    100 * (
        stock_outside_us_tonnes / nullif({{ months_earlier('stock_outside_us_tonnes', 12, 'month', 'metal_id') }}, 0) - 1
    ) as stock_outside_us_change_12m_pct,
    us_refined_imports_12m_tonnes,
    us_refined_imports_12m_usd,
    100 * (
        us_refined_imports_12m_tonnes
        / nullif({{ months_earlier('us_refined_imports_12m_tonnes', 12, 'month', 'metal_id') }}, 0) - 1
    ) as us_refined_imports_change_12m_pct,
    us_customs_duties_usd,
    customs_duties_pct_of_imports,
    customs_duties_reason,
    -- The changes on twelve months before read that month too, and the z-score every month before.
    max(known_at) over (partition by metal_id order by month rows between unbounded preceding and current row) as known_at
from joined
