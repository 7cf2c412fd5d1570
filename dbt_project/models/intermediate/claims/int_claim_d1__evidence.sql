-- D1 capacity_clearance. Aluminium and lithium apart, each with the share of its producers in paradox and a sign of whether
-- capacity clears. A quarter counts once half of the producers followed can be judged: the first to file speaks for itself alone.
-- They file in the United States; of China's smelters, which the statement is about, there is their output against the ceiling of their
-- capacity (45 million tonnes). Output that grows says nothing where use grows too, so lithium's is read with its price.
{% set china_ceiling_tonnes = 45e6 %}
{% set of_the_world = {'period': 'make_date(world_year, 1, 1)', 'frequency': 'annual', 'period_end': none} %}
{% set indicators = [
    dict(
        of_the_world,
        indicator='aluminium_utilisation_change_pp', value='world_utilisation_change_pp', where="sector = 'aluminium'"
    ),
    dict(
        of_the_world,
        indicator='lithium_clearing_pct', value='greatest(-world_output_yoy_pct, price_12m_yoy_pct)',
        where="sector = 'lithium' and world_output_yoy_pct is not null and price_12m_yoy_pct is not null"
            ~ " and calendar_quarter = make_date(world_year, 10, 1)"
    ),
    {
        'indicator': 'china_aluminium_output_pct_of_ceiling',
        'value': '100.0 * china_output_12m_tonnes / ' ~ china_ceiling_tonnes,
        'has': 'china_output_12m_tonnes',
        'where': "sector = 'aluminium'",
        'words': {'million_tonnes': 'china_output_12m_tonnes / 1e6'},
    },
    {
        'indicator': 'aluminium_stock_change_12m_pct',
        'value': 'stock_outside_us_change_12m_pct',
        'mart': 'divergence_trade_tightness',
        'where': "metal_id = 'aluminium'",
        'newest': 'month',
        'period': 'month',
        'frequency': 'monthly',
        'period_end': none,
        'key': "metal_id || '|' || cast(month as varchar)",
        'words': {'stock_outside_us_thousand_tonnes': 'stock_outside_us_tonnes / 1000'},
    },
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
