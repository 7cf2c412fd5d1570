-- S1 seventies_analog. What the statement names (deficit, openness) from the newest macro state that has it; resemblance from
-- analog_summary; what came after look-alikes from analog_outcomes. A median of fewer than three windows is no figure: it would
-- be one episode's history. Of the return and its excess over the usual one the smaller counts: a fall that is smaller than usual is
-- no bull market.
{% set min_windows = 3 %}
{% set of_summary = {
    'mart': 'analog_summary', 'newest': none, 'period': 'reference_month', 'key': 'cast(as_of as varchar)'
} %}
with outcomes as (
    select
        *,
        case when sample = 'seventies' then 'seventies' else 'analog' end || '_' || asset as compared
    from {{ ref('analog_outcomes') }}
    where horizon_months = 36 and months >= {{ min_windows }} and sample in ('independent_windows', 'seventies')
)

{{ evidence('S1', [
    dict(of_summary, indicator='nearest_in_1970s_ratio'),
    dict(of_summary, indicator='share_of_rotations'),
    dict(of_summary, indicator='independent_windows'),
    {
        'indicator': 'deficit_above_mean_pp',
        'period': fiscal_year_start('extract(year from deficit_fiscal_year_end)'), 'period_end': 'deficit_fiscal_year_end',
        'frequency': 'us_fiscal_year',
    },
    {
        'indicator': 'trade_openness_change_5y_pp',
        'period': "date_trunc('year', trade_openness_year_end)", 'frequency': 'annual',
    },
    {
        'indicator': 'world_trade_openness_change_5y_pp',
        'period': "date_trunc('year', world_trade_openness_year_end)", 'frequency': 'annual',
    },
    {
        'indicator': '{compared}_real_excess_36m_pp',
        'value': 'least(median_real_excess_pp, median_real_return_pct)',
        'has': 'median_real_excess_pp',
        'mart': 'analog_outcomes',
        'rows': 'outcomes',
        'newest': none,
        'period': 'reference_month',
        'key': "sample || '|' || asset || '|' || cast(horizon_months as varchar)",
    },
], {'mart': 'macro_state'}) }}
