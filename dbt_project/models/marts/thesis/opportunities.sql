-- Where drivers lift a metal and its price has not followed: two parts, each a rank among the metals, and the rank of their sum. Ranks,
-- because the parts have different scales; equal weights, because no weights were fitted.
--   composite      the higher the better: what bears on the metal, by its drivers; a metal that they do not lift is not ranked
--   price gap      the lower the better: the price has moved less than its drivers; by as much at least as keeps such a gap open
-- Volatility stands beside and is no part of it: calm is no opportunity. Figures that print alike are ties.
-- All metals are ranked for one month, the newest for which any metal has a price gap; not if that is over six months back.
with metals_with_drivers as (
    select distinct metal_id from {{ ref('driver_exposures') }}
),

parts as (
    select
        g.metal_id,
        g.month,
        g.gap_zscore as price_gap_zscore,
        v.realised_volatility_12m_annualised_pct,
        v.realised_volatility_12m_percentile as volatility_percentile,
        greatest(g.known_at, coalesce(v.known_at, g.known_at)) as known_at
    from {{ ref('divergence_price_driver') }} as g
    left join {{ ref('metal_prices') }} as v on g.metal_id = v.metal_id and v.frequency = 'monthly' and g.month = v.period
    where g.gap_zscore is not null
),

ranking_month as (
    select max(month) as month from parts
),

chosen as (
    select
        m.metal_id,
        r.month,
        c.composite,
        c.contribution_fiscal,
        c.contribution_monetary,
        c.contribution_china,
        c.contribution_ai,
        c.contribution_trade,
        c.contribution_geopolitics,
        c.contribution_positioning,
        c.drivers_available,
        c.drivers_expected,
        p.price_gap_zscore,
        p.realised_volatility_12m_annualised_pct,
        p.volatility_percentile,
        case
            when r.month is null then 'no metal has a price gap for any month'
            when {{ dbt.datediff('r.month', last_complete_month(), 'month') }} > 6
                then 'the newest price gap is more than six months back'
            when c.gap_reason is not null then c.gap_reason
            when c.composite is null then 'no composite for the month'
            when p.price_gap_zscore is null then 'no price, or too short a history of it, for the month'
            when round(c.composite, 2) <= 0 then 'its drivers do not lift it'
            when round(p.price_gap_zscore, 2) > -{{ closes_below() }} then 'its price does not lag its drivers'
        end as gap_reason,
        greatest(coalesce(c.known_at, p.known_at), coalesce(p.known_at, c.known_at)) as known_at
    from metals_with_drivers as m
    cross join ranking_month as r
    left join {{ ref('driver_composites') }} as c on m.metal_id = c.metal_id and r.month = c.month
    left join parts as p on m.metal_id = p.metal_id and r.month = p.month
),

ranked_parts as (
    select
        metal_id,
        rank() over (order by round(composite, 2) desc) as composite_rank,
        rank() over (order by round(price_gap_zscore, 2)) as price_gap_rank,
        case when volatility_percentile is not null then rank() over (order by volatility_percentile) end as volatility_rank
    from chosen
    where gap_reason is null
),

open_now as (
    select
        subject as metal_id,
        string_agg(
            divergence_id || ': ' || state || case when is_stale then ' (stale)' else '' end, ', ' order by divergence_id
        ) as open_divergences
    from {{ ref('divergences') }}
    where state <> 'closed'
    group by subject
)

select
    {{ as_of_date() }} as as_of,
    c.metal_id,
    c.month,
    cast({{ dbt.datediff(month_end('c.month'), as_of_date(), 'day') }} as integer) as age_days,
    {{ dbt.datediff(month_end('c.month'), as_of_date(), 'day') }} > d.max_age_days as is_stale,
    cast(
        case
            when k.metal_id is not null
                then
                    rank() over (partition by k.metal_id is null order by k.composite_rank + k.price_gap_rank)
        end as integer
    ) as opportunity_rank,
    cast(count(k.metal_id) over () as integer) as metals_ranked,
    cast(k.composite_rank + k.price_gap_rank as integer) as rank_sum,
    cast(k.composite_rank as integer) as composite_rank,
    cast(k.price_gap_rank as integer) as price_gap_rank,
    cast(k.volatility_rank as integer) as volatility_rank,
    c.composite,
    c.contribution_fiscal,
    c.contribution_monetary,
    c.contribution_china,
    c.contribution_ai,
    c.contribution_trade,
    c.contribution_geopolitics,
    c.contribution_positioning,
    c.drivers_available,
    c.drivers_expected,
    c.price_gap_zscore,
    c.realised_volatility_12m_annualised_pct,
    c.volatility_percentile,
    o.open_divergences,
    c.gap_reason,
    'not investment advice' as note,
    c.known_at
from chosen as c
left join {{ ref('divergence_definitions') }} as d on d.divergence_id = 'price_driver'
left join ranked_parts as k on c.metal_id = k.metal_id
left join open_now as o on c.metal_id = o.metal_id
