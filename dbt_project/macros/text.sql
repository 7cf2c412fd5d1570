{#- Figures as text; null stays null. -#}

{#- A ratio to a figure near zero may have more digits than a decimal: it is shown as it is, and fails no model. -#}
{% macro number_text(value, decimals=1) -%}
    coalesce(cast(try_cast({{ value }} as decimal(18, {{ decimals }})) as varchar), cast({{ value }} as varchar))
{%- endmacro %}

{#- As 2026-03. -#}
{% macro month_text(month) -%}
    substr(cast({{ month }} as varchar), 1, 7)
{%- endmacro %}

{#- As 2026Q2. -#}
{% macro quarter_text(quarter) -%}
    substr(cast({{ quarter }} as varchar), 1, 4) || 'Q' || cast(quarter({{ quarter }}) as varchar)
{%- endmacro %}
