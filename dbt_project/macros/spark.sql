{#- SQL that differs on the second engine (target `spark`); all other SQL is the same on both. -#}

{#- Half of dbt-spark's own goes through time zones and cannot take dates without a time of day. -#}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set months = {'month': 1, 'quarter': 3, 'year': 12} -%}
    {%- if datepart == 'day' -%}
        date_add(cast({{ from_date_or_timestamp }} as date), cast({{ interval }} as int))
    {%- else -%}
        add_months(cast({{ from_date_or_timestamp }} as date), cast({{ interval }} as int) * {{ months[datepart] }})
    {%- endif -%}
{%- endmacro %}

{#- Boundaries between two moments, as DuckDB counts them: Spark alone counts whole units. -#}
{% macro spark__datediff(first_date, second_date, datepart) -%}
    timestampdiff(
        {{ datepart }}, date_trunc('{{ datepart }}', {{ first_date }}), date_trunc('{{ datepart }}', {{ second_date }})
    )
{%- endmacro %}

{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    listagg({{ measure }}, {{ delimiter_text }}) within group ({{ order_by_clause }})
{%- endmacro %}

{% macro spark__month_spine(first_month, last_month) -%}
    select explode(sequence({{ first_month }}, {{ last_month }}, interval 1 month)) as month
{%- endmacro %}

{#- The median has no moving frame on Spark; the percentile, the same figure, does. -#}
{% macro spark__aggregate_of(aggregate, value) -%}
    {%- if aggregate == 'median' -%}percentile({{ value }}, 0.5)
    {%- else -%}{{ aggregate }}({{ value }})
    {%- endif -%}
{%- endmacro %}

{#- Comments of columns need a table format that this target does not ask for; those of tables are kept. -#}
{% macro spark__alter_column_comment(relation, column_dict) -%}
{%- endmacro %}
