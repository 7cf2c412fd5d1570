-- Contribution of each group of drivers to a metal's composite, in standard deviations, in the newest month in which at
-- least half of the metals have a composite. Parts add up to the composite.
with months as (
    select month
    from driver_composites
    where true {{ and_not_own_use('driver_composites', "metal_id || '|' || month") }}
    group by month
    having count(composite) * 2 >= count(*)
),

scored as (
    select
        min(value_period) as figures_from_month,
        max(value_period) as figures_to_month
    from driver_scores
    where
        month = (select max(month) from months) and contribution is not null
        {{ and_not_own_use('driver_scores', "metal_id || '|' || driver_id || '|' || month") }}
)

select
    m.name as metal,
    c.month,
    c.contribution_fiscal,
    c.contribution_monetary,
    c.contribution_china,
    c.contribution_ai,
    c.contribution_trade,
    c.contribution_geopolitics,
    c.contribution_positioning,
    c.composite,
    array_to_string(list_sort(list(m.name) over (partition by c.composite)), ', ') as shared_by,
    c.drivers_available,
    c.drivers_expected,
    d.figures_from_month,
    d.figures_to_month
from driver_composites as c
inner join metals as m using (metal_id)
cross join scored as d
where
    c.month = (select max(month) from months) and c.composite is not null
    {{ and_not_own_use('driver_composites', "c.metal_id || '|' || c.month") }}
order by c.composite desc
