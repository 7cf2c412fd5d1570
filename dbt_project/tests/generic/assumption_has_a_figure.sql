{#- An assumption that names a row or a bound that data_centre_parameters does not have would vanish in the join to it. -#}
{% test assumption_has_a_figure(model) %}
select a.scenario, a.link, a.metal_id, a.preference
from {{ model }} as a
left join {{ ref('data_centre_parameters') }} as p
    on a.parameter = p.parameter and a.segment = p.segment and a.publication = p.publication
where {{ bound_of('p', 'a.bound') }} is null
{% endtest %}
