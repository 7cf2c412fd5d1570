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

{#- Flows that only go one way: cash paid and sales are not negative, whatever the company. Income and cash flow are. -#}
{% macro is_one_way(concept) -%}
    {{ concept }} in ('capex', 'revenue', 'depreciation', 'finance_lease_principal')
{%- endmacro %}

{#- True where two amounts differ by no more than rounding from thousands to millions does: a thousandth. -#}
{% macro is_same_amount(a, b) -%}
    abs({{ a }} - {{ b }}) <= 0.001 * greatest(abs({{ a }}), abs({{ b }}))
{%- endmacro %}

{#- Fifty times, as a natural logarithm. An amount tagged in thousands for millions is a thousand times off, a company that
    spends five times what it spent is not. Of 6,470 figures of 508 filers (the SEC's data sets of 2009 and 2010) none lies
    twenty times off its other periods, so an error of a thousand on top of such a move is fifty times off, and nothing real is. -#}
{% macro scale_limit() -%} ln(50) {%- endmacro %}

{#- The size of a flow per day, as a logarithm: quarters, half years and years on one scale. Null for nothing. -#}
{% macro log_daily(amount, days) -%}
    case when {{ amount }} <> 0 then ln(abs({{ amount }}) / {{ days }}) end
{%- endmacro %}

{#- The scale of a flow is off where it contradicts both what is known from before and what is known from after; of these,
    what is not known is not asked. A lasting change of scale is confirmed by what comes after it. -#}
{% macro is_off_scale(own, before, after, is_one_way) -%}
    (
        coalesce({{ before }}, {{ after }}) is not null
        {% for other in [before, after] %}
            and (
                {{ other }} is null
                or {{ own }} - {{ other }} > {{ scale_limit() }}
                -- Income may come near to nothing; purchases and sales of a running business do not.
                or ({{ is_one_way }} and {{ other }} - {{ own }} > {{ scale_limit() }})
            )
        {% endfor %}
    )
{%- endmacro %}
