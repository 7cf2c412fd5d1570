-- Contribution of each group of drivers to a metal's composite, in standard deviations, in the newest month in which at
-- least half of the metals have a composite. Parts add up to the composite.
with {% include '_composites.sql' %}

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
from composites as c
inner join metals as m using (metal_id)
cross join scored as d
where c.month = (select max(month) from months) and c.composite is not null
order by c.composite desc
