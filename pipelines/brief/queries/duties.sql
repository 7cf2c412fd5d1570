-- US duties on refined copper and aluminium by month, general and highest of any product, and the COMEX premium. A rate begins on
-- the legal day of its measure in the month, or on the day on which one before it ended.
with days as (
    select
        metal_id,
        rate_pct,
        unnest([effective_on, ends_on]) as day,
        unnest([true, false]) as begins
    from policy_events
    where true {{ and_not_own_use('policy_events', "event_id || '|' || metal_id") }}
),

changes as (
    select
        t.metal_id,
        t.month,
        t.status_on,
        t.checked_to,
        t.highest_rate_pct,
        t.refined_rate_pct,
        min(e.day) filter (where e.begins and e.rate_pct = t.highest_rate_pct) as highest_began_on,
        min(e.day) filter (where e.begins and e.rate_pct = t.refined_rate_pct) as refined_began_on,
        max(e.day) filter (where not e.begins) as ended_on
    from driver_trade_policy as t
    left join days as e on e.metal_id in (t.metal_id, 'all') and e.day between t.month and t.status_on
    where
        t.month >= date '2018-01-01'
        {{ and_not_own_use('driver_trade_policy', "t.metal_id || '|' || t.month") }}
    group by t.metal_id, t.month, t.status_on, t.checked_to, t.highest_rate_pct, t.refined_rate_pct
),

dated as (
    select
        *,
        coalesce(highest_began_on, ended_on, month) as highest_from,
        coalesce(refined_began_on, ended_on, month) as refined_from
    from changes
)

select
    t.month,
    max(t.status_on) as status_on,
    max(t.checked_to) as checked_to,
    max(t.checked_to) filter (where t.checked_to < t.status_on) as checked_only_to,
    max(t.highest_rate_pct) filter (where t.metal_id = 'copper') as copper_highest_rate_pct,
    max(t.refined_rate_pct) filter (where t.metal_id = 'copper') as copper_refined_rate_pct,
    max(t.refined_rate_pct) filter (where t.metal_id = 'aluminium') as aluminium_refined_rate_pct,
    max(t.highest_from) filter (where t.metal_id = 'copper') as copper_highest_from,
    max(t.refined_from) filter (where t.metal_id = 'copper') as copper_refined_from,
    max(t.refined_from) filter (where t.metal_id = 'aluminium') as aluminium_refined_from,
    max(p.premium_pct) filter (where t.metal_id = 'copper') as copper_premium_pct,
    max(p.premium_pct) filter (where t.metal_id = 'silver') as silver_premium_pct
from dated as t
left join divergence_trade_tightness as p
    on
        t.metal_id = p.metal_id and t.month = p.month
        {{ and_not_own_use('divergence_trade_tightness', "p.metal_id || '|' || p.month") }}
group by t.month
order by t.month
