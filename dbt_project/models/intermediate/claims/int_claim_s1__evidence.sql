-- S1 seventies_analog. Two lines: what the statement names of today (deficit, openness), from the newest macro state that has it; and
-- resemblance, from analog_summary, with what came after all of the nearest months, from analog_outcomes. The band of the latter
-- allows for their overlap: where it holds zero, what came after them decides nothing. analog_calibration has the rule's reading of
-- the 1970s themselves; a month without a figure is no failure there.
{% set of_summary = {
    'mart': 'analog_summary', 'newest': none, 'period': 'reference_month', 'key': 'cast(as_of as varchar)'
} %}
with outcomes as (
    select
        *,
        case when sample = 'seventies' then 'seventies' else 'analog' end || '_' || asset as compared
    from {{ ref('analog_outcomes') }}
    where horizon_months = 36 and sample in ('nearest', 'seventies') and median_real_excess_pp is not null
),

by_indicator as (
    select
        indicator,
        max(label) as label,
        count(*) filter (where reading = 'supports') as supporting,
        count(*) as months,
        max(reference_month) as last_month,
        max(known_at) as known_at
    from {{ ref('analog_calibration') }}
    where reading <> 'missing'
    group by indicator
),

calibration as (
    select
        count(*) filter (where supporting = months) as holding,
        count(*) as indicators,
        string_agg(label || ' in ' || supporting || ' of ' || months, ', ' order by supporting desc, indicator asc) as found,
        max(last_month) as last_month,
        max(known_at) as known_at
    from by_indicator
    having count(*) > 0
),

calibrated as (
    select
        c.*,
        s.reference_month
    from calibration as c
    cross join {{ ref('analog_summary') }} as s
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
        'value': bull_market_pp('r', 'median_real_excess_pp'),
        'low': bull_market_pp('r', 'real_excess_lower_95_pp'),
        'high': bull_market_pp('r', 'real_excess_upper_95_pp'),
        'mart': 'analog_outcomes',
        'rows': 'outcomes',
        'newest': none,
        'period': 'reference_month',
        'key': "sample || '|' || asset || '|' || cast(horizon_months as varchar)",
    },
    {
        'indicator': 'calibration_indicators_holding',
        'value': 'holding',
        'mart': 'analog_calibration',
        'rows': 'calibrated',
        'newest': none,
        'period': 'reference_month',
        'key': "cast(last_month as varchar) || '|nearest_in_1970s_ratio'",
    },
], {'mart': 'macro_state'}) }}
