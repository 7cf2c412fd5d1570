-- The newest monthly price of each metal, by month and move on the month.
select
    m.name as metal,
    p.period,
    p.price_native,
    p.native_unit,
    100 * (exp(p.return_1m_log) - 1) as return_1m_pct,
    p.return_12m_pct,
    p.real_price_zscore_expanding,
    p.realised_volatility_12m_annualised_pct
from metal_prices as p
inner join metals as m using (metal_id)
where
    p.frequency = 'monthly'
    and p.price_native is not null
    and m.family in ('base', 'precious', 'platinum_group', 'battery')
    {{ and_not_own_use('metal_prices', "p.metal_id || '|' || p.frequency || '|' || p.period") }}
qualify p.period = max(p.period) over (partition by p.metal_id)
order by p.period desc, return_1m_pct desc nulls last, m.name
