-- The market's unit is the one in which the metal's default monthly price is published. Quotations in yuan stay out: a dollar
-- price needs the rate and the tax of the day and is no quotation.
-- A series keeps its rank over its whole history, so that nothing changes from one day to the next but the price. A series that has
-- fallen silent ranks behind every current one, whatever its preference; a day ranks before a month.
with quotations as (
    select * from {{ ref('int_metal_prices__converted') }}
),

market_units as (
    select
        metal_id,
        max_by(native_unit, period) as unit
    from quotations
    where frequency = 'monthly' and preference = 1
    group by metal_id
),

in_market_units as (
    select
        q.metal_id,
        q.frequency,
        q.period,
        q.quotation,
        case
            when q.native_unit = m.unit then q.price_native
            else q.price_usd_per_tonne / f.usd_per_tonne_factor
        end as price_usd,
        m.unit,
        q.preference,
        q.series_id,
        q.known_at
    from quotations as q
    inner join market_units as m on q.metal_id = m.metal_id
    left join {{ ref('unit_conversions') }} as f on m.unit = f.unit and f.series_id is null
)

select
    p.metal_id,
    p.series_id,
    p.frequency,
    p.period,
    p.quotation,
    p.price_usd,
    p.unit,
    cast(
        dense_rank() over (
            partition by p.metal_id
            order by
                d.is_stale asc,
                case when d.is_stale then d.last_period_end end desc nulls last,
                case p.frequency when 'daily' then 1 else 2 end asc,
                p.preference asc
        ) as integer
    ) as source_rank,
    d.is_stale,
    d.source_id,
    p.known_at
from in_market_units as p
inner join {{ ref('data_freshness') }} as d on p.series_id = d.series_id
where p.price_usd is not null
