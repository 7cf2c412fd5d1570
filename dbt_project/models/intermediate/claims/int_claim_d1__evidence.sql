-- D1 capacity_clearance. Aluminium and lithium apart, each with the share of its producers in paradox and a sign of whether
-- capacity clears. A quarter counts once half of the producers followed can be judged: the first to file speaks for itself alone.
{% set of_the_world = {'period': 'make_date(world_year, 1, 1)', 'frequency': 'annual', 'period_end': none} %}
{% set indicators = [
    dict(
        of_the_world,
        indicator='aluminium_utilisation_change_pp', value='world_utilisation_change_pp', where="sector = 'aluminium'"
    ),
    dict(of_the_world, indicator='lithium_output_yoy_pct', value='world_output_yoy_pct', where="sector = 'lithium'"),
    {'indicator': 'china_aluminium_output_yoy_pct', 'value': 'china_output_12m_yoy_pct', 'where': "sector = 'aluminium'"},
] %}
{% for sector in ['aluminium', 'lithium'] %}
    {% for value in ['paradox_share_ratio', 'capex_to_depreciation_ratio', 'margin_pct'] %}
        {% do indicators.append({
            'indicator': sector ~ '_' ~ value, 'value': value, 'where': "sector = '" ~ sector ~ "' and coverage_ratio >= 0.5"
        }) %}
    {% endfor %}
{% endfor %}
{{ evidence('D1', indicators, {
    'mart': 'divergence_capacity_clearance_sector', 'newest': 'calendar_quarter', 'period': 'calendar_quarter', 'frequency': 'quarterly',
    'period_end': 'period_end', 'key': "sector || '|' || cast(calendar_quarter as varchar)"
}) }}
