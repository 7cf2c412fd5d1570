-- D2 capex_payoff. The newest quarter of the sector for which at least three in five of the companies have every leg: the
-- ratios are of the same companies on both sides, so a missing one bends them less than it would bend a sum.
with sector as (
    select * from {{ ref('divergence_capex_payoff') }}
    where role = 'sector'
)

{{ evidence('D2', [
    {'indicator': 'capex_to_operating_cash_flow_ratio', 'where': 'companies >= 0.6 * companies_expected'},
    {'indicator': 'free_cash_flow_margin_change_2y_pp', 'where': 'margin_change_companies >= 0.6 * companies_expected'},
    {
        'indicator': 'depreciation_minus_revenue_growth_pp',
        'value': 'depreciation_yoy_pct - revenue_yoy_pct',
        'where': 'depreciation_companies >= 0.6 * companies_expected',
    },
    {'indicator': 'added_revenue_per_lagged_capex_ratio', 'where': 'payoff_companies >= 0.6 * companies_expected'},
    {'indicator': 'productivity_gap_pp'},
], {
    'mart': 'divergence_capex_payoff', 'rows': 'sector', 'newest': 'calendar_quarter', 'period': 'calendar_quarter', 'frequency': 'quarterly',
    'period_end': 'quarter_end', 'key': "'hyperscalers|' || cast(calendar_quarter as varchar)"
}) }}
