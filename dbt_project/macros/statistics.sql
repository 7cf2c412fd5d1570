{#- Expanding z-score: each row against all rows up to it and never a later one. Null until `min_rows` values exist. -#}
{% macro expanding_zscore(value, order_by, partition_by=none, min_rows=24) -%}
    {%- set window -%}
        (
            {%- if partition_by %}partition by {{ partition_by }} {% endif -%}
            order by {{ order_by }} rows between unbounded preceding and current row
        )
    {%- endset -%}
    case
        when count({{ value }}) over {{ window }} >= {{ min_rows }}
            then
                ({{ value }} - avg({{ value }}) over {{ window }})
                / nullif(stddev_samp({{ value }}) over {{ window }}, 0)
    end
{%- endmacro %}
