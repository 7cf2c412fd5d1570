{#- Formulas shared by the fiscal and the risk models. -#}

{#- How a change of the deficit counts as counter-cyclical support: in a weak economy as it is (a widening supports, a
    narrowing takes away); in a strong one every widening counts against, and a narrowing is no expansion to judge. -#}
{% macro counter_cyclical(change, is_weak) -%}
    case
        when {{ change }} is null or {{ is_weak }} is null then null
        when {{ is_weak }} then {{ change }}
        else least(0.0, -({{ change }}))
    end
{%- endmacro %}

{#- Mean of the last `months` months of which at least `at_least` have a figure, the last among them: a month that was never
    published must not blank a whole year, and one that is not out yet has no mean of the months before it. -#}
{% macro mean_of_most_months(value, months, at_least, order_by) -%}
    case
        when {{ value }} is not null and count({{ value }}) over {{ last_months(months, order_by) }} >= {{ at_least }}
            then avg({{ value }}) over {{ last_months(months, order_by) }}
    end
{%- endmacro %}

{#- Share of the last `months` months, per cent, in which `condition` held; null unless it is known in all of them. -#}
{% macro share_of_months(condition, months, order_by) -%}
    100.0 * {{ over_full_months('avg', 'cast(' ~ condition ~ ' as integer)', months, order_by) }}
{%- endmacro %}
