-- The newest month in which at least half of the metals have a return: one early price is no market.
with returns as (
    select
        lower(m.name) as metal,
        p.metal_id,
        p.period,
        p.price_usd_per_tonne,
        case when p.native_unit = 'usd_per_troy_ounce' then p.price_native end as price_usd_per_troy_ounce,
        100 * (exp(p.return_1m_log) - 1) as return_1m_pct,
        p.return_12m_pct
    from metal_prices as p
    inner join metals as m using (metal_id)
    where
        p.frequency = 'monthly'
        and m.family in ('base', 'precious', 'platinum_group', 'battery')
        and p.return_1m_log is not null
        {{ and_not_own_use('metal_prices', "p.metal_id || '|' || p.frequency || '|' || p.period") }}
),

months as (
    select period from returns
    group by period
    having count(*) * 2 >= (select count(distinct metal_id) from returns)
)

select
    period as month,
    count(*) as metals_known,
    count(*) filter (where return_1m_pct > 0) as metals_up,
    arg_max(metal, return_1m_pct) as riser,
    max(return_1m_pct) as riser_return_pct,
    arg_min(metal, return_1m_pct) as faller,
    min(return_1m_pct) as faller_return_pct,
    max(price_usd_per_tonne) filter (where metal_id = 'copper') as copper_usd_per_tonne,
    max(return_1m_pct) filter (where metal_id = 'copper') as copper_return_pct,
    max(return_12m_pct) filter (where metal_id = 'copper') as copper_12m_return_pct,
    max(price_usd_per_troy_ounce) filter (where metal_id = 'gold') as gold_usd_per_troy_ounce,
    max(return_1m_pct) filter (where metal_id = 'gold') as gold_return_pct,
    -- A month is due in the first week of the next one.
    greatest(date_diff('month', period, cast((select max(as_of) from raw.build) - interval 7 day as date)) - 1, 0)
        as months_late
from returns
where period = (select max(period) from months)
group by period
