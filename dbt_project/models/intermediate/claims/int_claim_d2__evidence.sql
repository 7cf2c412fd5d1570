-- D2 capex_payoff. The newest quarter of the sector for which at least three in five of the companies have every leg: the
-- ratios are of the same companies on both sides, so a missing one bends them less than it would bend a sum.
{% set min_coverage_ratio = 0.6 %}
{% set indicators = [
    (
        'capex_to_operating_cash_flow_ratio', 'capex_to_operating_cash_flow_ratio', 'companies',
        "'capital expenditure took ' || " ~ number_text('100 * value', 0) ~ " || ' % of operating cash flow'"
    ),
    (
        'free_cash_flow_margin_change_2y_pp', 'free_cash_flow_margin_change_2y_pp', 'margin_change_companies',
        "'the free cash flow margin changed by ' || " ~ number_text('value') ~ " || ' points of revenue over two years'"
    ),
    (
        'depreciation_minus_revenue_growth_pp', 'depreciation_yoy_pct - revenue_yoy_pct', 'depreciation_companies',
        "'depreciation grew by ' || " ~ number_text('value') ~ " || ' points more than revenue over the year'"
    ),
    (
        'added_revenue_per_lagged_capex_ratio', 'added_revenue_per_lagged_capex_ratio', 'payoff_companies',
        "'revenue rose by ' || " ~ number_text('value', 2) ~ " || ' dollars per dollar of capital expenditure of the year before'"
    ),
] %}
with sector as (
    select * from {{ ref('divergence_capex_payoff') }}
    where role = 'sector'
),

productivity as (
    select * from sector
    where productivity_gap_pp is not null
    order by calendar_quarter desc
    limit 1
),

measured as (
    {% for indicator, value, counted, finding in indicators %}
        (
            select
                '{{ indicator }}' as indicator,
                {{ value }} as value,
                {{ counted }} as companies,
                companies_expected,
                calendar_quarter,
                quarter_end,
                known_at
            from sector
            where {{ value }} is not null and {{ counted }} >= {{ min_coverage_ratio }} * companies_expected
            order by calendar_quarter desc
            limit 1
        )
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    'D2' as claim_id,
    indicator,
    value,
    false as is_lower_bound,
    calendar_quarter as period,
    quarter_end as period_end,
    known_at,
    'divergence_capex_payoff' as source_table,
    'hyperscalers|' || cast(calendar_quarter as varchar) as source_key,
    case indicator
        {% for indicator, value, counted, finding in indicators %}
            when '{{ indicator }}' then {{ finding }}
        {% endfor %}
    end
    || ' (' || cast(companies as varchar) || ' of ' || cast(companies_expected as varchar)
    || ' hyperscalers, twelve months to ' || {{ quarter_text('calendar_quarter') }} || ')' as finding
from measured

union all

select
    'D2' as claim_id,
    'productivity_gap_pp' as indicator,
    productivity_gap_pp as value,
    false as is_lower_bound,
    calendar_quarter as period,
    quarter_end as period_end,
    known_at,
    'divergence_capex_payoff' as source_table,
    'hyperscalers|' || cast(calendar_quarter as varchar) as source_key,
    'US productivity grew by ' || {{ number_text('productivity_2y_mean_pct') }} || ' % a year over two years to '
    || {{ quarter_text('calendar_quarter') }} || ', ' || {{ number_text('abs(productivity_gap_pp)') }}
    || case when productivity_gap_pp < 0 then ' points below' else ' points above' end || ' its trend since 2005' as finding
from productivity
