-- S3 risks. Are metals' monthly moves larger in months of a large shift of the policy rate, and in months of high geopolitical
-- risk? Judged on the average of four metals, by the whole 95 % band of the gap: over all months and, for the policy rate, without the
-- inflation of 1979 to 1982, which holds most of the large shifts. The next month and the present state are supporting.
{% set samples = [
    ('', 'full', 'same_month', ['monetary_policy', 'geopolitics', 'trade_policy', 'economic_policy']),
    ('_since_1990', 'since_1990', 'same_month', ['monetary_policy', 'geopolitics']),
    ('_next_month', 'full', 'next_month', ['monetary_policy', 'geopolitics']),
] %}
{% set indicators = [] %}
{% for suffix, sample, timing, regimes in samples %}
    {% for regime in regimes %}
        {% do indicators.append({
            'indicator': 'volatility_gap_' ~ regime ~ suffix ~ '_pp',
            'value': 'gap_pct',
            'low': 'gap_lower_95_pct',
            'high': 'gap_upper_95_pct',
            'where': "regime = '" ~ regime ~ "' and sample = '" ~ sample ~ "' and timing = '" ~ timing
                ~ "' and gap_lower_95_pct is not null",
            'period': 'last_month',
        }) %}
    {% endfor %}
{% endfor %}
{% for indicator, regime in {'monetary_shift_zscore': 'monetary_policy', 'geopolitical_risk_zscore': 'geopolitics'}.items() %}
    {% do indicators.append({
        'indicator': indicator,
        'value': 'regime_zscore_expanding',
        'where': "regime = '" ~ regime ~ "' and sample = 'full' and timing = 'same_month'",
        'period': 'regime_month',
    }) %}
{% endfor %}
with gaps as (
    select * from {{ ref('risk_regimes') }}
    where metal_id = 'average_of_four'
)

{{ evidence('S3', indicators, {
    'mart': 'risk_regimes', 'rows': 'gaps', 'newest': none,
    'key': "metal_id || '|' || regime || '|' || sample || '|' || timing"
}) }}
