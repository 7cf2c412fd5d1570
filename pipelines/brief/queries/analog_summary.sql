-- How much the present resembles the 1970s.
select
    reference_month,
    reference_dimensions,
    array_to_string(
        list_transform(
            string_split(reference_missing_dimensions, ', '),
            lambda d: coalesce(
                map {
                    'deficit_pct_gdp': 'the deficit as a share of GDP',
                    'industrial_growth_pct': 'industrial growth',
                    'inflation_change_12m_pp': 'the change of inflation',
                    'inflation_pct': 'inflation',
                    'money_growth_pct': 'money growth',
                    'real_base_metals_log': 'real prices of base metals',
                    'real_policy_rate_pct': 'the real policy rate',
                    'trade_openness_change_5y_pp': 'US openness to trade',
                    'world_trade_openness_change_5y_pp': 'the world''s openness to trade'
                }[d],
                replace(d, '_', ' ')
            )
        ),
        ', '
    ) as reference_missing_dimensions,
    nearest_month,
    nearest_distance,
    median_distance,
    median_distance_1970s,
    nearest_months,
    nearest_in_1970s,
    nearest_in_1970s_pct,
    candidates_in_1970s_pct,
    candidate_months,
    independent_window_months
from analog_summary
where true {{ and_not_own_use('analog_summary', "as_of") }}
