-- The z-scores behind the heat map, with the reason where a driver has none.
with months as (
    select month
    from driver_composites
    where true {{ and_not_own_use('driver_composites', "metal_id || '|' || month") }}
    group by month
    having count(composite) * 2 >= count(*)
)

select
    m.name as metal,
    d.title as driver,
    s.driver_group,
    s.sign,
    s.zscore,
    s.contribution,
    s.value_period_label,
    s.gap_reason
from driver_scores as s
inner join metals as m using (metal_id)
inner join seeds.drivers as d using (driver_id)
where
    s.month = (select max(month) from months)
    {{ and_not_own_use('driver_scores', "s.metal_id || '|' || s.driver_id || '|' || s.month") }}
order by m.name, s.driver_id
