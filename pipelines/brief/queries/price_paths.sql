-- Monthly prices of four metals over ten years, as an index: 100 is the price in the first month shown.
with prices as (
    select
        metal_id,
        period,
        price_native
    from metal_prices
    where
        frequency = 'monthly'
        and metal_id in ('copper', 'aluminium', 'gold', 'silver')
        {{ and_not_own_use('metal_prices', "metal_id || '|' || frequency || '|' || period") }}
),

shown as (
    select
        metal_id,
        period,
        100 * price_native / first_value(price_native) over (partition by metal_id order by period) as price_index
    from prices
    where period >= (select max(period) - interval 10 year from prices)
)

select
    period,
    max(price_index) filter (where metal_id = 'copper') as copper_index,
    max(price_index) filter (where metal_id = 'aluminium') as aluminium_index,
    max(price_index) filter (where metal_id = 'gold') as gold_index,
    max(price_index) filter (where metal_id = 'silver') as silver_index
from shown
group by period
order by period
