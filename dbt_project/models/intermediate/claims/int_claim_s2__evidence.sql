-- S2 opportunities. How far the metals' composites lie apart and what is in the highest, from the newest month with a figure for each
-- part; and whether metals with a link to AI or fiscal policy did otherwise than those without. How long the order lasts is told beside:
-- z-scores of changes over twelve months revert after twelve months by construction.
{{ evidence('S2', [
    {'indicator': 'composite_dispersion_percentile', 'value': 'dispersion_percentile_expanding'},
    {'indicator': 'composite_rank_correlation_12m', 'value': 'rank_correlation_12m'},
    {'indicator': 'ai_fiscal_share_of_top_pct'},
    {'indicator': 'ai_share_of_top_pct'},
    {
        'indicator': 'exposed_to_{engine}_spread_{sample}_pct',
        'value': 'spread_pct_per_year',
        'low': 'spread_lower_95_pct_per_year',
        'high': 'spread_upper_95_pct_per_year',
        'mart': 'exposure_spreads',
        'newest': none,
        'period': 'last_month',
        'key': "engine || '|' || sample",
    },
], {'mart': 'driver_cross_section'}) }}
