{#- When a row became known: the latest of its inputs' moments that are not null; null where all are. -#}
{% macro latest_of(moments) -%}
    nullif(
        greatest(
            {%- for moment in moments %}
                coalesce({{ moment }}, timestamp '1900-01-01')
                {%- if not loop.last %},{% endif %}
            {%- endfor %}
        ),
        timestamp '1900-01-01'
    )
{%- endmacro %}
