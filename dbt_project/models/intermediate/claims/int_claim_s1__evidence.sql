-- S1 seventies_analog. What the statement names (deficit, openness) from the newest macro state that has it; resemblance from
-- analog_summary; what came after look-alikes from analog_outcomes. A median of fewer than three windows is no figure: it would
-- be one episode's history.
{% set min_windows = 3 %}
{% set of_summary = {
    'mart': 'analog_summary', 'newest': none, 'period': 'reference_month', 'key': 'cast(as_of as varchar)'
} %}
with outcomes as (
    select
        o.*,
        case when o.sample = 'seventies' then 'seventies' else 'analog' end || '_' || o.asset as compared,
        a.median_real_return_pct as usual_real_return_pct
    from {{ ref('analog_outcomes') }} as o
    inner join {{ ref('analog_outcomes') }} as a
        on a.sample = 'all' and o.asset = a.asset and o.horizon_months = a.horizon_months
    where o.horizon_months = 36 and o.months >= {{ min_windows }} and o.sample in ('independent_windows', 'seventies')
)

{{ evidence('S1', [
    dict(of_summary, indicator='nearest_in_1970s_ratio'),
    dict(of_summary, indicator='share_of_rotations'),
    dict(of_summary, indicator='independent_windows'),
    {
        'indicator': 'deficit_above_mean_pp',
        'period': month_of('deficit_fiscal_year_end'), 'period_end': 'deficit_fiscal_year_end',
    },
    {
        'indicator': 'trade_openness_change_5y_pp',
        'period': month_of('trade_openness_year_end'), 'period_end': 'trade_openness_year_end',
    },
    {
        'indicator': 'world_trade_openness_change_5y_pp',
        'period': month_of('world_trade_openness_year_end'), 'period_end': 'world_trade_openness_year_end',
    },
    {
        'indicator': '{compared}_real_excess_36m_pp',
        'value': 'median_real_excess_pp',
        'mart': 'analog_outcomes',
        'rows': 'outcomes',
        'newest': none,
        'period': 'reference_month',
        'key': "sample || '|' || asset || '|' || cast(horizon_months as varchar)",
    },
], {'mart': 'macro_state'}) }}
