-- Monthly means of exchange prices in US dollars per tonne: the American future and the world price of the same metal, means of
-- daily figures both, or the mean that the World Bank (or the IMF) publishes where the world price is not at hand by day. One basis
-- for all months of a metal: a line that took the published mean in one month and the exchange in the next would step at the seam.
-- Daily figures become months by one rule (macro is_whole_month).
with daily as (
    select
        s.metal_id,
        s.role,
        s.venue,
        {{ month_of('o.period') }} as month,
        {{ exact_mean('o.value') }} as mean_native,
        count(*) as days,
        max(o.period) as last_day,
        max(u.usd_per_tonne_factor) as usd_per_tonne_factor,
        max(o.known_at) as known_at
    from {{ ref('base_observations__as_of') }} as o
    inner join {{ ref('exchange_series') }} as s on o.series_id = s.input_id and s.role in ('us_price', 'world_price')
    inner join {{ ref('unit_conversions') }} as u on o.unit = u.unit and u.series_id is null
    group by s.metal_id, s.role, s.venue, {{ month_of('o.period') }}
),

monthly as (
    select
        metal_id,
        role,
        venue,
        month,
        days,
        case when {{ is_whole_month('month', 'days', 'last_day') }} then mean_native * usd_per_tonne_factor end
            as price_usd_per_tonne,
        {{ part_of_month_reason('month', 'days', 'last_day', 'closes') }} as part_reason,
        known_at
    from daily
    where month <= {{ last_complete_month() }}
),

published_means as (
    select
        s.metal_id,
        p.period as month,
        s.venue,
        p.value * u.usd_per_tonne_factor as price_usd_per_tonne,
        p.known_at
    from {{ ref('int_indicators__resolved') }} as p
    inner join {{ ref('exchange_series') }} as s on p.indicator_id = s.input_id and s.role = 'world_price_monthly'
    inner join {{ ref('unit_conversions') }} as u on p.unit = u.unit and u.series_id is null
),

us as (
    select * from monthly
    where role = 'us_price'
),

world as (
    select * from monthly
    where role = 'world_price' and price_usd_per_tonne is not null
),

bases as (
    select distinct us.metal_id
    from us
    inner join world on us.metal_id = world.metal_id and us.month = world.month
    where us.price_usd_per_tonne is not null
),

months as (
    select
        metal_id,
        month
    from us
    union
    select
        metal_id,
        month
    from world
)

select
    m.metal_id,
    m.month,
    us.venue as us_venue,
    us.price_usd_per_tonne as us_price_usd_per_tonne,
    cast(us.days as integer) as us_price_days,
    coalesce(world.venue, published_means.venue) as world_price_source,
    coalesce(world.price_usd_per_tonne, published_means.price_usd_per_tonne) as world_price_usd_per_tonne,
    case
        when us.month is null then 'no closes of the American future in the warehouse (its source is for personal use and off by default)'
        when us.price_usd_per_tonne is null then us.part_reason
        when world.month is null and b.metal_id is not null
            then 'no exchange price of the month abroad; a published mean is another basis than the months beside it'
        when world.month is null and published_means.month is null then 'no world price of the month'
    end as premium_reason,
    greatest(
        coalesce(us.known_at, world.known_at, published_means.known_at),
        coalesce(world.known_at, published_means.known_at, us.known_at)
    ) as known_at
from months as m
left join us on m.metal_id = us.metal_id and m.month = us.month
left join world on m.metal_id = world.metal_id and m.month = world.month
left join bases as b on m.metal_id = b.metal_id
left join published_means on b.metal_id is null and m.metal_id = published_means.metal_id and m.month = published_means.month
