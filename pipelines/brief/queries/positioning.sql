-- Net positions of managed money on COMEX and NYMEX: the newest report of each metal against all reports before it.
select
    m.name as metal,
    p.report_date,
    date_diff('day', p.report_date, (select max(as_of) from raw.build)) as age_days,
    p.net_managed_money_contracts,
    p.net_managed_money_change_1w_contracts,
    p.net_managed_money_percentile_expanding as net_percentile
from driver_positioning as p
inner join metals as m using (metal_id)
where
    p.net_managed_money_contracts is not null
    {{ and_not_own_use('driver_positioning', "p.metal_id || '|' || p.report_date") }}
qualify p.report_date = max(p.report_date) over (partition by p.metal_id)
order by p.report_date desc, net_percentile desc nulls last, m.name
