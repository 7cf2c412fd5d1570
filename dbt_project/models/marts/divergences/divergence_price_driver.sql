-- The drivers are changes over twelve months, growth rates and the like, so the price's side is its return over twelve months
-- and not its level: a nominal level has a trend that no driver here could share.
-- Both sides are scored over the same months, those that have both: scores of different samples have no difference.
with both_sides as (
    select
        p.metal_id,
        p.period as month,
        p.series_id,
        p.return_12m_pct as price_return_12m_pct,
        ln(1 + p.return_12m_pct / 100) as price_return_12m_log,
        c.composite,
        greatest(p.known_at, c.known_at) as known_at
    from {{ ref('metal_prices') }} as p
    inner join {{ ref('driver_composites') }} as c on p.metal_id = c.metal_id and p.period = c.month
    where p.frequency = 'monthly' and p.return_12m_pct is not null and c.composite is not null
),

scored as (
    select
        *,
        {{ expanding_zscore('price_return_12m_log', 'month', 'metal_id, series_id') }} as price_zscore,
        {{ expanding_zscore('composite', 'month', 'metal_id, series_id') }} as composite_zscore,
        max(known_at) over (
            partition by metal_id, series_id order by month rows between unbounded preceding and current row
        ) as known_at_so_far
    from both_sides
),

gaps as (
    select
        *,
        price_zscore - composite_zscore as gap
    from scored
),

gap_scored as (
    select
        *,
        {{ expanding_zscore('gap', 'month', 'metal_id, series_id') }} as gap_zscore
    from gaps
),

events as (
    select
        metal_id,
        month,
        {{ gap_event('gap_zscore', 'month', 'metal_id') }} as event
    from gap_scored
    where gap_zscore is not null
),

opened as (
    select
        metal_id,
        month,
        {{ is_open_after('event', 'month', 'metal_id') }} as is_open
    from events
)

select
    g.metal_id,
    g.month,
    g.price_return_12m_pct,
    g.price_zscore,
    g.composite,
    g.composite_zscore,
    g.gap,
    g.gap_zscore,
    o.is_open,
    g.series_id,
    g.known_at_so_far as known_at
from gap_scored as g
left join opened as o on g.metal_id = o.metal_id and g.month = o.month
