{#- Expanding z-score: each row against all rows up to it and never a later one. Null until `min_rows` values exist, and while their
    standard deviation is under half of the last digit that is printed of any such measure (0.01): values that differ by
    rounding alone have no deviation to count in. -#}
{% macro expanding_zscore(value, order_by, partition_by=none, min_rows=24) -%}
    {%- set window -%}
        (
            {%- if partition_by %}partition by {{ partition_by }} {% endif -%}
            order by {{ order_by }} rows between unbounded preceding and current row
        )
    {%- endset -%}
    case
        when count({{ value }}) over {{ window }} >= {{ min_rows }} and stddev_samp({{ value }}) over {{ window }} >= 0.005
            then ({{ value }} - avg({{ value }}) over {{ window }}) / stddev_samp({{ value }}) over {{ window }}
    end
{%- endmacro %}

{#- Mean of published figures, the same to the last bit in whatever order an engine meets them: floating-point sums depend
    on the order of a parallel scan, decimal ones do not, and two builds of one day must not differ. -#}
{% macro exact_mean(value) -%}
    cast(sum(cast({{ value }} as decimal(28, 8))) as double) / nullif(count({{ value }}), 0)
{%- endmacro %}

{#- Median of the values that exist. -#}
{% macro median_of(value) -%}
    median({{ value }})
{%- endmacro %}

{#- The median absolute deviation times this is the standard deviation where values are normal: 1 / the third quartile of
    the standard normal (Rousseeuw and Croux 1993, Journal of the American Statistical Association 88, 1273-1283). -#}
{% macro mad_to_standard_deviation() -%}1.482602218505602{%- endmacro %}
{#- A value held within plus and minus `bound`: one odd month must not carry a sum of scores. -#}
{% macro winsorised(value, bound) -%}
    case when {{ value }} is not null then greatest(-{{ bound }}, least({{ bound }}, {{ value }})) end
{%- endmacro %}

{#- A part of a sum, rounded to a multiple of 2^-40 (9e-13). Such numbers add without any rounding, in whatever order and
    in whatever engine, so that the parts of a sum make the sum to its last bit. -#}
{% macro on_exact_grid(value) -%}
    round(({{ value }}) * 1099511627776) / 1099511627776
{%- endmacro %}

{#- Rank among equals as statisticians count it: ties share the mean of their ranks. -#}
{% macro average_rank(value, partition_by) -%}
    rank() over (partition by {{ partition_by }} order by {{ value }})
    + (count(*) over (partition by {{ partition_by }}, {{ value }}) - 1) / 2.0
{%- endmacro %}

{#- Growth in per cent; null where there is nothing to grow from. -#}
{% macro growth_pct(value, earlier) -%}
    100.0 * ({{ value }} - {{ earlier }}) / nullif({{ earlier }}, 0)
{%- endmacro %}

{#- The quantile of all values up to each row, as an order statistic interpolated linearly; null until `min_rows` exist. -#}
{% macro expanding_quantile(value, quantile, order_by, partition_by=none, min_rows=24) -%}
    {%- set window -%}
        (
            {%- if partition_by %}partition by {{ partition_by }} {% endif -%}
            order by {{ order_by }} rows between unbounded preceding and current row
        )
    {%- endset -%}
    case when count({{ value }}) over {{ window }} >= {{ min_rows }} then quantile_cont({{ value }}, {{ quantile }}) over {{ window }} end
{%- endmacro %}

{#- Slope of `value` on `position` by ordinary least squares over the rows that meet `condition`, in a grouped query; null
    unless all `rows` of them have a value. -#}
{% macro slope_over(value, position, condition, rows) -%}
    case
        when count({{ value }}) filter (where {{ condition }}) = {{ rows }}
            then regr_slope({{ value }}, {{ position }} order by {{ position }}) filter (where {{ condition }})
    end
{%- endmacro %}
