-- Of the columns, each row has exactly one.
{% test exactly_one_given(model, columns) %}
select {{ columns | join(', ') }}, *
from {{ model }}
where
    {% for column in columns %}
        case when {{ column }} is null then 0 else 1 end {{ '+' if not loop.last }}
    {% endfor %} <> 1
{% endtest %}
