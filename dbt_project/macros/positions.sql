{#- Weeks of the Commitments of Traders: positions are as of Tuesday, or of a neighbouring day where Tuesday is a
    holiday, so one report belongs to one calendar week. -#}

{#- The Tuesday of the calendar week that holds `day`. -#}
{% macro tuesday_of(day) -%}
    cast(date_trunc('week', {{ day }}) + interval 1 day as date)
{%- endmacro %}

{#- In a select list: one row per Tuesday from the week of `first_day` to the week of `last_day`. -#}
{% macro each_tuesday(first_day, last_day) -%}
    cast(unnest(generate_series({{ tuesday_of(first_day) }}, {{ tuesday_of(last_day) }}, interval 7 day)) as date)
{%- endmacro %}

{#- The value of the row exactly one week earlier, null where that week has no row. -#}
{% macro one_week_earlier(value, order_by, partition_by) -%}
    max({{ value }}) over (
        partition by {{ partition_by }} order by {{ order_by }}
        range between interval 7 day preceding and interval 7 day preceding
    )
{%- endmacro %}
