{#- None of these columns is ever null. One query for all of them: a test each costs more than it tells. -#}
{% test never_null(model, columns) %}
select *
from {{ model }}
where {% for column in columns %}{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
