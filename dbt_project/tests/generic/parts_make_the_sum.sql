{#- The parts add up to the whole to the last bit: no tolerance. -#}
{% test parts_make_the_sum(model, whole, parts) %}
select * from {{ model }}
where {{ whole }} is not null and {{ whole }} <> {% for part in parts %}coalesce({{ part }}, 0){% if not loop.last %} + {% endif %}{% endfor %}
{% endtest %}
