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

{#- The first month by whose end a figure had been published, by the catalogue's publication lag. -#}
{% macro published_by_month(period_end, publication_lag_days) -%}
    {{ month_of(period_end ~ ' + ' ~ publication_lag_days) }}
{%- endmacro %}

{#- The first month at whose end a figure is older than the catalogue's staleness limit allows. -#}
{% macro too_old_from_month(period_end, staleness_limit_days) -%}
    {{ month_of(period_end ~ ' + ' ~ staleness_limit_days ~ ' + 1') }}
{%- endmacro %}
