-- One state per month: int_macro_state__monthly decides what was published by the end of it.
{% set vector = state_vector().strip().split(',') %}
{% set beside = ['deficit_above_mean_pp', 'world_trade_openness_change_5y_pp'] %}
with months as (
    {{ month_spine("date '1960-01-01'", last_complete_month()) }}
),

pivoted as (
    select
        month,
        {% for dimension in vector + beside %}
            max(case when dimension = '{{ dimension }}' then value end) as {{ dimension }},
        {% endfor %}
        max(case when dimension = 'deficit_pct_gdp' then period_end end) as deficit_fiscal_year_end,
        max(case when dimension = 'trade_openness_change_5y_pp' then period_end end) as trade_openness_year_end,
        max(case when dimension = 'world_trade_openness_change_5y_pp' then period_end end) as world_trade_openness_year_end,
        max(known_at) as known_at
    from {{ ref('int_macro_state__monthly') }}
    group by month
)

select
    m.month,
    {% for dimension in vector %}
        p.{{ dimension }},
    {% endfor %}
    exp(p.real_base_metals_log) as real_base_metals_usd_per_tonne,
    p.deficit_above_mean_pp,
    p.deficit_fiscal_year_end,
    p.trade_openness_year_end,
    p.world_trade_openness_change_5y_pp,
    p.world_trade_openness_year_end,
    cast(
        {% for dimension in vector %}
            case when p.{{ dimension }} is null then 0 else 1 end{% if not loop.last %} +{% endif %}
        {% endfor %}
        as integer
    ) as dimensions,
    nullif(
        concat_ws(
            ', ',
            {% for dimension in vector %}
                case when p.{{ dimension }} is null then '{{ dimension }}' end{% if not loop.last %},{% endif %}
            {% endfor %}
        ),
        ''
    ) as missing_dimensions,
    p.known_at
from months as m
left join pivoted as p on m.month = p.month
