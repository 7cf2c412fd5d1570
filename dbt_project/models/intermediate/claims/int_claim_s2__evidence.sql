-- S2 opportunities. The newest month with a figure for each part, from the cross-section of the metals' composites.
{{ evidence('S2', [
    {'indicator': 'composite_dispersion_percentile', 'value': 'dispersion_percentile_expanding'},
    {'indicator': 'composite_rank_correlation_12m', 'value': 'rank_correlation_12m'},
    {'indicator': 'ai_fiscal_share_of_top_pct'},
    {'indicator': 'ai_share_of_top_pct'},
], {'mart': 'driver_cross_section'}) }}
