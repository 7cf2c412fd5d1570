{#- A driver's readings come from the mart and column that the seed drivers names, and from no driver it does not name. -#}
{% test driver_as_declared(model) %}
select distinct m.driver_id, m.source_table, m.source_column
from {{ model }} as m
left join {{ ref('drivers') }} as d
    on m.driver_id = d.driver_id and m.source_table = d.source_table and m.source_column = d.source_column
where d.driver_id is null
{% endtest %}
