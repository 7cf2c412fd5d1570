{#- Shared by the models over filings. -#}

{#- First day of the calendar quarter that holds the middle of a period: a quarter from June to August is the third. -#}
{% macro calendar_quarter_of(period_start, period_end) -%}
    cast(
        date_trunc(
            'quarter',
            cast(
                {{ dbt.dateadd(
                    'day',
                    'cast(floor(' ~ dbt.datediff(period_start, period_end, 'day') ~ ' / 2.0) as integer)',
                    period_start
                ) }} as date
            )
        ) as date
    )
{%- endmacro %}

{#- True where two dates lie at most ten days apart: 52 and 53 week years end near, not on, the month's last day. -#}
{% macro is_near(a, b) -%}
    abs({{ dbt.datediff(a, b, 'day') }}) <= 10
{%- endmacro %}

{#- The day a fiscal quarter ends, from its month counted since year 0 and the day the fiscal year ends on. -#}
{% macro fiscal_month_end(month_count, year_end_day) -%}
    {%- set first_day -%}
        make_date(cast(floor({{ month_count }} / 12.0) as integer), cast({{ month_count }} % 12 as integer) + 1, 1)
    {%- endset -%}
    case
        when {{ year_end_day }} >= 28 then last_day({{ first_day }})
        else cast({{ dbt.dateadd('day', year_end_day ~ ' - 1', first_day) }} as date)
    end
{%- endmacro %}
