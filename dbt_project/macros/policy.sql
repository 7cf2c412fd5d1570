{#- Trade policy on a given day, one formula for the as-of date and for the end of every month. -#}

{#- First day without a measure, as known on `day`: the end its own text sets, or the legal day of what replaced it once that
    is published. A doubling published five days after its effective date leaves the old rate standing for those five days. -#}
{% macro policy_ends_on(own_ends_on, replaced_on, replacement_known_on, day) -%}
    least({{ own_ends_on }}, case when {{ replacement_known_on }} <= {{ day }} then {{ replaced_on }} end)
{%- endmacro %}

{#- Whether a state that counts from one day and ends on another (null: not yet) holds on `day`. -#}
{% macro is_in_force_on(counts_from, ends_on, day) -%}
    ({{ counts_from }} <= {{ day }} and coalesce({{ ends_on }} > {{ day }}, true))
{%- endmacro %}
