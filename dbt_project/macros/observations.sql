{#- The value of one indicator inside a group of resolved figures. -#}

{% macro indicator_value(indicator_id) -%}
    max(case when indicator_id = '{{ indicator_id }}' then value end)
{%- endmacro %}

{#- How long a low-frequency figure may stand for later months: from the last month of its own period until the next
    figure, and never longer than `limit_months` months in all. Half-open: month >= usable_from and month < usable_to. -#}
{% macro usable_from(period, period_months) -%}
    cast({{ period }} + interval {{ period_months - 1 }} month as date)
{%- endmacro %}

{% macro usable_to(period, period_months, limit_months) -%}
    cast(
        least(
            coalesce(
                lead({{ period }}) over (order by {{ period }}) + interval {{ period_months - 1 }} month,
                {{ period }} + interval {{ period_months - 1 + limit_months }} month
            ),
            {{ period }} + interval {{ period_months - 1 + limit_months }} month
        ) as date
    )
{%- endmacro %}
