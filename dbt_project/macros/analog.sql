{#- The choices of the 1970s analog, each in one place; docs/methods/analog.md has their reasons and references. -#}

{#- The state vector. Each is a column of macro_state and a `<name>_gap_zscore` of analog_1970s. -#}
{% macro state_vector() -%}
    deficit_pct_gdp,trade_openness_change_5y_pp,inflation_pct,inflation_change_12m_pp,real_policy_rate_pct,money_growth_pct,industrial_growth_pct,real_base_metals_log
{%- endmacro %}

{#- Two months are compared over at least five of the eight: more than half. -#}
{% macro min_state_dimensions() -%}5{%- endmacro %}

{#- Months nearer to each other than this share what came after them, so they are not two observations. -#}
{% macro analog_window_months() -%}36{%- endmacro %}

{#- The nearest months are this share of those compared, rounded up. -#}
{% macro nearest_share() -%}0.05{%- endmacro %}

{#- The decade itself, as the statement names it: any other window would be a choice. -#}
{% macro is_seventies(month) -%}
    {{ month }} >= date '1970-01-01' and {{ month }} < date '1980-01-01'
{%- endmacro %}

{#- Reference months that calibrate the rule of S1: December of the years that begin, halve and end the decade's inflation. -#}
{% macro calibration_months() -%}date '1973-12-01', date '1976-12-01', date '1979-12-01'{%- endmacro %}

{#- What speaks for a bull market: real prices rise, and rise more than is usual. Of the real return and its excess over the usual
    one the smaller counts, also at the ends of the band of the excess, between which the real return moves as much. -#}
{% macro bull_market_pp(row, excess) -%}
    least({{ excess }}, {{ excess }} + {{ row }}.usual_real_return_pct)
{%- endmacro %}
