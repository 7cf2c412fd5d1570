{#- Date arithmetic that engines spell differently, in one place. Months are their first day. -#}

{#- One row per month from `first_month` to `last_month`, both included, as column `month`. -#}
{% macro month_spine(first_month, last_month) -%}
    {{ adapter.dispatch('month_spine', 'metals_drivers')(first_month, last_month) }}
{%- endmacro %}

{% macro default__month_spine(first_month, last_month) -%}
    select cast(unnest(generate_series({{ first_month }}, {{ last_month }}, interval 1 month)) as date) as month
{%- endmacro %}

{% macro month_of(moment) -%}
    cast(date_trunc('month', {{ moment }}) as date)
{%- endmacro %}

{#- The last month that had ended by the end of the as-of date. -#}
{% macro last_complete_month() -%}
    cast(date_trunc('month', {{ as_of_date() }} + interval 1 day) - interval 1 month as date)
{%- endmacro %}

{#- Whether a mean of daily figures stands for its month, one rule for every daily series: the month has ended by the as-of date, its
    last figure is no older at its end than a long weekend with a holiday on either side, and at least 15 days have one (a
    month has 19 to 23 trading days). A few days are not a month, and a month that was never read to its end is not either. -#}
{% macro least_days_of_a_month() -%}15{%- endmacro %}

{% macro is_whole_month(month, days, last_day) -%}
    coalesce(
        {{ month_end(month) }} <= {{ as_of_date() }}
        and {{ days }} >= {{ least_days_of_a_month() }}
        and {{ last_day }} >= {{ month_end(month) }} - interval 5 day,
        false
    )
{%- endmacro %}

{#- Why a mean does not stand for its month; null where it does. -#}
{% macro part_of_month_reason(month, days, last_day, of_what) -%}
    case
        when {{ is_whole_month(month, days, last_day) }} then null
        when {{ month_end(month) }} > {{ as_of_date() }} then 'the month has not ended'
        when coalesce({{ days }}, 0) = 0 then 'no {{ of_what }} of the month'
        else
            'days with {{ of_what }}: ' || cast({{ days }} as varchar) || ' only, the last ' || cast({{ last_day }} as varchar)
    end
{%- endmacro %}

{% macro month_end(month) -%}
    cast({{ month }} + interval 1 month - interval 1 day as date)
{%- endmacro %}

{#- Last day of a reference period that starts on `period`; the catalogue's rule (pipelines.catalog.period_end). -#}
{% macro period_end(period, frequency) -%}
    cast(
        case {{ frequency }}
            when 'daily' then {{ period }} + interval 0 day
            when 'weekly' then {{ period }} + interval 6 day
            when 'monthly' then {{ period }} + interval 1 month - interval 1 day
            when 'quarterly' then {{ period }} + interval 3 month - interval 1 day
            else {{ period }} + interval 12 month - interval 1 day
        end as date
    )
{%- endmacro %}

{#- The value of the row exactly `months` months earlier, null where that month has no row. -#}
{% macro months_earlier(value, months, order_by, partition_by=none) -%}
    max({{ value }}) over (
        {%- if partition_by %}partition by {{ partition_by }} {% endif -%}
        order by {{ order_by }} range between interval {{ months }} month preceding and interval {{ months }} month preceding
    )
{%- endmacro %}

{#- The frame of the last `months` calendar months, the current one included. -#}
{% macro last_months(months, order_by, partition_by=none) -%}
    (
        {%- if partition_by %}partition by {{ partition_by }} {% endif -%}
        order by {{ order_by }} range between interval {{ months - 1 }} month preceding and current row
    )
{%- endmacro %}

{#- An aggregate by its name, where a moving frame follows. -#}
{% macro aggregate_of(aggregate, value) -%}
    {{ adapter.dispatch('aggregate_of', 'metals_drivers')(aggregate, value) }}
{%- endmacro %}

{% macro default__aggregate_of(aggregate, value) -%}
    {{ aggregate }}({{ value }})
{%- endmacro %}

{#- An aggregate over the last `months` months, null unless all of them have a value: a hole never looks like a zero. -#}
{% macro over_full_months(aggregate, value, months, order_by, partition_by=none) -%}
    case
        when count({{ value }}) over {{ last_months(months, order_by, partition_by) }} = {{ months }}
            then {{ aggregate_of(aggregate, value) }} over {{ last_months(months, order_by, partition_by) }}
    end
{%- endmacro %}

{#- The same over quarters, whose rows are dated by their first month. -#}
{% macro over_full_quarters(aggregate, value, quarters, order_by, partition_by=none) -%}
    {%- set frame = last_months(3 * quarters - 2, order_by, partition_by) -%}
    case when count({{ value }}) over {{ frame }} = {{ quarters }} then {{ aggregate_of(aggregate, value) }} over {{ frame }} end
{%- endmacro %}

{#- A US fiscal year is named by the year it ends in and starts on 1 October of the year before. -#}
{% macro fiscal_year_start(fiscal_year) -%}
    make_date({{ fiscal_year }} - 1, 10, 1)
{%- endmacro %}
