{#- Figures as text; null stays null. -#}

{#- A ratio to a figure near zero may have more digits than a decimal: it is shown as it is, and fails no model. -#}
{% macro number_text(value, decimals=1) -%}
    coalesce(cast(try_cast({{ value }} as decimal(18, {{ decimals }})) as varchar), cast({{ value }} as varchar))
{%- endmacro %}

{#- The name of the period of that frequency that starts on `period`, as pipelines.catalog.period_label writes it: 21 Aug 2026, Aug 2026,
    2026Q2, 2025, FY2025 for a US fiscal year by the year it ends in. -#}
{% macro period_text(period, frequency) -%}
    case {{ frequency }}
        when 'weekly' then 'week of ' || strftime(cast({{ period }} as date), '%-d %b %Y')
        when 'monthly' then strftime(cast({{ period }} as date), '%b %Y')
        when 'quarterly' then strftime(cast({{ period }} as date), '%YQ') || cast(quarter(cast({{ period }} as date)) as varchar)
        when 'annual' then strftime(cast({{ period }} as date), '%Y')
        when 'us_fiscal_year' then 'FY' || strftime(cast({{ period }} as date) + interval 6 month, '%Y')
        else strftime(cast({{ period }} as date), '%-d %b %Y')
    end
{%- endmacro %}

{% macro month_text(month) -%}
    {{ period_text(month, "'monthly'") }}
{%- endmacro %}
