-- What the outcomes of claims are read from: rows of published tables, as known by the as-of date. A new measure is one more entry.
{% set measures = [
    {
        'measure': 'hyperscaler_capex_yoy_pct', 'mart': 'driver_ai_capex_aggregate', 'period': 'calendar_quarter',
        'frequency': 'quarterly', 'value': 'like_for_like_yoy_pct', 'key': 'cast(calendar_quarter as varchar)',
        'where': 'coverage_ratio >= 0.8',
    },
    {
        'measure': 'china_ppi_yoy_pct', 'mart': 'driver_china_cycle', 'period': 'month', 'frequency': 'monthly',
        'value': 'ppi_yoy_pct', 'key': 'cast(month as varchar)', 'where': 'true',
    },
    {
        'measure': 'china_industry_3m_yoy_pct', 'mart': 'driver_china_cycle', 'period': 'month', 'frequency': 'monthly',
        'value': 'industrial_output_yoy_3m_mean_pct', 'key': 'cast(month as varchar)', 'where': 'true',
    },
    {
        'measure': 'copper_refined_duty_pct', 'mart': 'driver_trade_policy', 'period': 'month', 'frequency': 'monthly',
        'value': 'refined_rate_pct', 'key': "metal_id || '|' || cast(month as varchar)",
        'where': "metal_id = 'copper' and is_complete_month and (refined_measures_unread = 0 or refined_rate_pct > 0)",
    },
    {
        'measure': 'emerging_asia_coal_twh', 'mart': 'divergence_coal_transition', 'period': 'make_date(year, 1, 1)',
        'frequency': 'annual', 'value': 'coal_twh', 'key': "subject || '|' || cast(year as varchar)",
        'where': "subject = 'emerging_asia'",
    },
    {
        'measure': 'base_metals_real_log', 'mart': 'macro_state', 'period': 'month', 'frequency': 'monthly',
        'value': 'real_base_metals_log', 'key': 'cast(month as varchar)', 'where': 'true',
    },
] %}
{% for m in measures %}
    select
        '{{ m.measure }}' as measure,
        '{{ m.frequency }}' as frequency,
        cast({{ m.period }} as date) as period,
        cast({{ m.value }} as double) as value,
        cast(known_at as timestamp) as known_at,
        '{{ m.mart }}' as source_table,
        {{ m.key }} as source_key
    from {{ ref(m.mart) }}
    where {{ m.value }} is not null and {{ m.where }}
    {% if not loop.last %}union all{% endif %}
{% endfor %}
