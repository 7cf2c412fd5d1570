{#- Least squares of `y` on `x` with an intercept over all rows up to the current one and never a later one.
    `statistic` is slope, intercept or r2. Null until `min_rows` rows have both, and where `x` has not varied. -#}
{% macro expanding_regression(statistic, y, x, order_by, min_rows) -%}
    {%- set window -%}
        (order by {{ order_by }} rows between unbounded preceding and current row)
    {%- endset -%}
    case
        when regr_count({{ y }}, {{ x }}) over {{ window }} >= {{ min_rows }} and regr_sxx({{ y }}, {{ x }}) over {{ window }} > 0
            then regr_{{ statistic }}({{ y }}, {{ x }}) over {{ window }}
    end
{%- endmacro %}
