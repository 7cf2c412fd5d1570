{#- Sum that is the same to the last bit in whatever order an engine meets the figures (compare exact_mean). -#}
{% macro exact_sum(value) -%}
    cast(sum(cast({{ value }} as decimal(28, 8))) as double)
{%- endmacro %}
