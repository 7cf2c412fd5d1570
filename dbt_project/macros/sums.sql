{#- Sum that is the same to the last bit in whatever order an engine meets the figures (compare exact_mean). -#}
{% macro exact_sum(value) -%}
    cast(sum(cast({{ value }} as decimal(28, 8))) as double)
{%- endmacro %}

{#- Whether a figure over `companies` is one of the group: at least three in five of those expected, of which the first one or two to
    file a quarter are not. The number of companies stands beside every such figure. -#}
{% macro is_of_the_group(companies, expected) -%}
    {{ companies }} >= 0.6 * {{ expected }}
{%- endmacro %}
