{#- None of these columns is ever null. One query for all of them: a test each costs more than it tells. -#}
{% test never_null(model, columns) %}
select
    concat_ws(', ', {% for column in columns %}case when {{ column }} is null then '{{ column }}' end{% if not loop.last %}, {% endif %}{% endfor %}) as null_in,
    *
from {{ model }}
where {% for column in columns %}{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
