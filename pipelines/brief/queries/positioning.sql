-- Net positions of managed money on COMEX and NYMEX: the newest report of each metal against all reports before it.
with today as (
    select max(as_of) as as_of from raw.build
),

limits as (
    select
        s.metal_id,
        min(f.staleness_limit_days) as limit_days
    from data_freshness as f
    inner join series as s using (series_id)
    where f.source_id = 'cftc'
    group by s.metal_id
)

select
    m.name as metal,
    p.report_date,
    date_diff('day', p.report_date, t.as_of) as age_days,
    p.net_managed_money_contracts,
    p.net_managed_money_change_1w_contracts,
    p.net_managed_money_percentile_expanding as net_percentile,
    date_diff('day', p.report_date, t.as_of) > l.limit_days as is_stale
from driver_positioning as p
inner join metals as m using (metal_id)
left join limits as l on p.metal_id = l.metal_id
cross join today as t
where
    p.net_managed_money_contracts is not null
    {{ and_not_own_use('driver_positioning', "p.metal_id || '|' || p.report_date") }}
qualify p.report_date = max(p.report_date) over (partition by p.metal_id)
order by p.report_date desc, net_percentile desc nulls last, m.name
