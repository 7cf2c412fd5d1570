{#- Figures of the cited parameter table. -#}

{#- The figure that `bound` names of a row of data_centre_parameters. -#}
{% macro bound_of(row, bound) -%}
    case {{ bound }}
        when 'low' then {{ row }}.low
        when 'base' then {{ row }}.base
        when 'high' then {{ row }}.high
        when 'middle' then ({{ row }}.low + {{ row }}.high) / 2
    end
{%- endmacro %}
