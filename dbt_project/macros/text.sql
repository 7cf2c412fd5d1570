{#- Figures inside a sentence. Missing values make the whole sentence null: guard where that can happen. -#}

{% macro number_text(value, decimals=1) -%}
    cast(cast({{ value }} as decimal(18, {{ decimals }})) as varchar)
{%- endmacro %}

{#- A z-score as people say it: 1.3 standard deviations above (or below); what it is measured from comes after. -#}
{% macro deviations_text(zscore) -%}
    {{ number_text('abs(' ~ zscore ~ ')') }} || ' standard deviations ' || case when {{ zscore }} < 0 then 'below' else 'above' end
{%- endmacro %}

{#- As 2026-03. -#}
{% macro month_text(month) -%}
    substr(cast({{ month }} as varchar), 1, 7)
{%- endmacro %}

{#- As 2026Q2. -#}
{% macro quarter_text(quarter) -%}
    substr(cast({{ quarter }} as varchar), 1, 4) || 'Q' || cast(quarter({{ quarter }}) as varchar)
{%- endmacro %}
