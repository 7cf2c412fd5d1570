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

{#- Mean of published figures, the same to the last bit in whatever order an engine meets them: floating-point sums depend
    on the order of a parallel scan, decimal ones do not, and two builds of one day must not differ. -#}
{% macro exact_mean(value) -%}
    cast(sum(cast({{ value }} as decimal(28, 8))) as double) / nullif(count({{ value }}), 0)
{%- endmacro %}
