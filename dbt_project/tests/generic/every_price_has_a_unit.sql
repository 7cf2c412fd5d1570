{#- A quotation in a unit that seed unit_conversions does not name would vanish in the join to it. Amounts of a metal (tonnes made,
    held or traded) are no quotations: a price is per something. -#}
{% test every_price_has_a_unit(model) %}
select p.series_id, p.period
from {{ ref('int_indicators__resolved') }} as p
left join {{ model }} as c on p.series_id = c.series_id and p.period = c.period
where p.metal_id is not null and p.unit like '%!_per!_%' escape '!' and c.series_id is null
union all
select o.series_id, o.period
from {{ ref('base_observations__as_of') }} as o
inner join {{ ref('daily_quotations') }} as q on o.series_id = q.series_id
left join {{ model }} as c on o.series_id = c.series_id and o.period = c.period
where c.series_id is null
{% endtest %}
