-- What each driver reads. A new driver is one entry here and one row in each of the seeds drivers and driver_exposures.
--   mart, value   where the figure is; `period` is the first day of what it is of
--   subject       the metal it is of, or none where it is the same for all
{% set drivers = [
    {
        'id': 'us_fiscal_impulse', 'mart': 'driver_fiscal', 'value': 'deficit_12m_change_pp',
        'period': 'month', 'subject': none,
    },
    {
        'id': 'us_real_yield_change', 'mart': 'driver_monetary', 'value': 'real_10y_yield_change_12m_pp',
        'period': 'month', 'subject': none,
    },
    {
        'id': 'us_dollar_change', 'mart': 'driver_monetary', 'value': 'broad_dollar_change_12m_pct',
        'period': 'month', 'subject': none,
    },
    {
        'id': 'china_money_gap', 'mart': 'driver_china_cycle', 'value': 'm1_m2_gap_pp',
        'period': 'month', 'subject': none,
    },
    {
        'id': 'china_export_growth', 'mart': 'driver_china_cycle', 'value': 'exports_yoy_3m_mean_pct',
        'period': 'month', 'subject': none,
    },
    {
        'id': 'ai_capex_growth', 'mart': 'driver_ai_capex_aggregate', 'value': 'like_for_like_yoy_pct',
        'period': 'calendar_quarter', 'subject': none,
    },
] %}
{% for driver in drivers %}
    select
        '{{ driver.id }}' as driver_id,
        '{{ driver.mart }}' as source_table,
        '{{ driver.value }}' as source_column,
        cast({{ driver.subject or 'null' }} as varchar) as metal_id,
        {{ driver.period }} as period,
        cast({{ driver.value }} as double) as value,
        known_at
    from {{ ref(driver.mart) }}
    where {{ driver.value }} is not null
    {% if not loop.last %}union all{% endif %}
{% endfor %}
