-- Tracked metals without a monthly price, and without a composite of drivers in the month shown, each with the reason.
with {% include '_composites.sql' %},

tracked as (
    select
        metal_id,
        name
    from metals
    where family in ('base', 'precious', 'platinum_group', 'battery')
),

priced as (
    select
        metal_id,
        bool_or(true {{ and_not_own_use('metal_prices', "metal_id || '|' || frequency || '|' || period") }}) as is_shown
    from metal_prices
    where frequency = 'monthly' and price_native is not null
    group by metal_id
),

publishers as (
    select
        s.metal_id,
        string_agg(distinct p.title, ', ' order by p.title) as titles
    from series as s
    inner join sources as p using (source_id)
    where s.frequency = 'monthly' and s.unit like 'usd\_per\_%' escape '\'
    group by s.metal_id
),

newest as (
    select * from composites
    where month = (select max(month) from months)
)

select
    'price' as what,
    t.name as metal,
    case
        when p.metal_id is not null then 'licensed for personal use only'
        else coalesce('no figure is held of ' || b.titles, 'no monthly series of it is in the catalogue')
    end as why
from tracked as t
left join priced as p on t.metal_id = p.metal_id
left join publishers as b on t.metal_id = b.metal_id
where not coalesce(p.is_shown, false)
union all
select
    'composite',
    t.name,
    coalesce(c.gap_reason, 'no driver is scored')
from tracked as t
left join newest as c on t.metal_id = c.metal_id
where c.composite is null and exists (select 1 from newest)
order by what, why, metal
