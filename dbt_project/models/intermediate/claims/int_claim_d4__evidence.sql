-- D4 coal_transition. The exit is read from coal's share, now against before, and from the amount: a share that falls faster than
-- before contradicts the statement, and electricity from coal that still grows supports it. Months indicate where the next year's
-- figures will lie.
{% set of_months = {'period': 'newest_month', 'frequency': 'monthly', 'where': "subject = 'emerging_asia'"} %}
{{ evidence('D4', [
    {'indicator': 'group_slope_change_pp_per_year', 'value': 'slope_change_pp_per_year'},
    {
        'indicator': 'countries_slowing_share_ratio',
        'value': 'cast(countries_slowing as double) / nullif(countries_with_slopes, 0)',
    },
    {'indicator': 'group_coal_slope_twh_per_year', 'value': 'coal_slope_twh_per_year'},
    dict(of_months, indicator='group_coal_12m_yoy_pct', value='coal_12m_yoy_pct'),
    dict(of_months, indicator='group_coal_share_12m_change_pp', value='coal_share_12m_change_pp'),
    dict(
        of_months, indicator='china_thermal_12m_yoy_pct', value='thermal_12m_yoy_pct', period='thermal_newest_month',
        where="subject = 'CN'"
    ),
    dict(
        of_months, indicator='china_thermal_share_12m_change_pp', value='thermal_share_12m_change_pp',
        period='thermal_newest_month', where="subject = 'CN'"
    ),
], {
    'mart': 'divergence_coal_transition', 'where': "subject = 'emerging_asia' and slope_change_pp_per_year is not null",
    'newest': 'year', 'period': 'make_date(year, 1, 1)', 'frequency': 'annual', 'key': "subject || '|' || cast(year as varchar)"
}) }}
