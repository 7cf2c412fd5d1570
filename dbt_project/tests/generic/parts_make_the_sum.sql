{#- The parts add up to the whole to the last bit: no tolerance. -#}
{% test parts_make_the_sum(model, whole, parts) %}
{% set sum %}{% for part in parts %}coalesce({{ part }}, 0){% if not loop.last %} + {% endif %}{% endfor %}{% endset %}
select {{ whole }} as whole, {{ sum }} as sum_of_parts, * from {{ model }}
where {{ whole }} is not null and {{ whole }} <> {{ sum }}
{% endtest %}
