-- US duties on refined copper and aluminium by month, general and highest of any product, and the COMEX premium.
select
    t.month,
    max(t.highest_rate_pct) filter (where t.metal_id = 'copper') as copper_highest_rate_pct,
    max(t.refined_rate_pct) filter (where t.metal_id = 'copper') as copper_refined_rate_pct,
    max(t.refined_rate_pct) filter (where t.metal_id = 'aluminium') as aluminium_refined_rate_pct,
    max(p.premium_pct) filter (where t.metal_id = 'copper') as copper_premium_pct,
    max(p.premium_pct) filter (where t.metal_id = 'silver') as silver_premium_pct
from driver_trade_policy as t
left join divergence_trade_tightness as p
    on
        t.metal_id = p.metal_id and t.month = p.month
        {{ and_not_own_use('divergence_trade_tightness', "p.metal_id || '|' || p.month") }}
where
    t.month >= date '2018-01-01'
    {{ and_not_own_use('driver_trade_policy', "t.metal_id || '|' || t.month") }}
group by t.month
order by t.month desc
