-- C5 china_exports. Growth, its steadiness, and industry itself: exports alone can grow while industry does not. Each indicator is
-- read from the newest month that has it, because customs and the statistical office publish on different days.
{{ evidence('C5', [
    {'indicator': 'exports_yoy_3m_mean_pct'},
    {'indicator': 'exports_growth_months_12m'},
    {'indicator': 'industrial_output_yoy_3m_mean_pct'},
    {'indicator': 'exports_12m_less_5y_median_pp', 'value': 'exports_yoy_12m_mean_pct - exports_yoy_5y_median_pct'},
    {'indicator': 'pmi_manufacturing_index'},
    {'indicator': 'exports_less_industrial_output_12m_pp'},
], {'mart': 'driver_china_cycle'}) }}
