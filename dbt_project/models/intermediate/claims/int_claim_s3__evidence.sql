-- S3 risks. Are metals' monthly moves larger in months of a large shift of the policy rate, and in months of high geopolitical
-- risk? Judged on the average of four metals over all months; sub-period, the next month and the present state stand beside.
{% set samples = [
    {'suffix': '', 'sample': 'full', 'timing': 'same_month', 'regimes': ['monetary_policy', 'geopolitics', 'trade_policy', 'economic_policy']},
    {'suffix': '_since_1990', 'sample': 'since_1990', 'timing': 'same_month', 'regimes': ['monetary_policy', 'geopolitics']},
    {'suffix': '_next_month', 'sample': 'full', 'timing': 'next_month', 'regimes': ['monetary_policy', 'geopolitics']},
] %}
{% set words = {
    'monetary_policy': 'a large shift of the policy rate',
    'geopolitics': 'high geopolitical risk',
    'trade_policy': 'high trade policy uncertainty',
    'economic_policy': 'high economic policy uncertainty',
} %}
{% set states = {'monetary_shift_zscore': 'monetary_policy', 'geopolitical_risk_zscore': 'geopolitics'} %}
with gaps as (
    select * from {{ ref('risk_regimes') }}
    where metal_id = 'average_of_four'
)

{% for s in samples %}
    {% for regime in s.regimes %}
        select
            'S3' as claim_id,
            'volatility_gap_t_{{ regime }}{{ s.suffix }}' as indicator,
            gap_t_statistic as value,
            false as is_lower_bound,
            last_month as period,
            {{ month_end('last_month') }} as period_end,
            known_at,
            'risk_regimes' as source_table,
            metal_id || '|' || regime || '|' || sample || '|' || timing as source_key,
            'metals moved ' || {{ number_text('mean_abs_return_inside_pct') }}
            || ' % a month {{ 'after' if s.timing == 'next_month' else 'in' }} months of {{ words[regime] }}, '
            || {{ number_text('mean_abs_return_outside_pct') }} || ' % otherwise (t ' || {{ number_text('gap_t_statistic') }}
            || ', ' || cast(months_inside as varchar) || ' and ' || cast(months_outside as varchar) || ' months since '
            || substr(cast(first_month as varchar), 1, 4) || ')' as finding
        from gaps
        where regime = '{{ regime }}' and sample = '{{ s.sample }}' and timing = '{{ s.timing }}' and gap_t_statistic is not null
        union all
    {% endfor %}
{% endfor %}

{% for indicator, regime in states.items() %}
    select
        'S3' as claim_id,
        '{{ indicator }}' as indicator,
        regime_zscore_expanding as value,
        false as is_lower_bound,
        regime_month as period,
        {{ month_end('regime_month') }} as period_end,
        known_at,
        'risk_regimes' as source_table,
        metal_id || '|' || regime || '|' || sample || '|' || timing as source_key,
        {% if regime == 'monetary_policy' -%}
            'the policy rate had changed by ' || {{ number_text('regime_measure', 2) }} || ' points over the year to '
            || {{ month_text('regime_month') }} || ', a shift ' || {{ deviations_text('regime_zscore_expanding') }}
            || ' the usual size' as finding
        {%- else -%}
            'geopolitical risk stood at ' || {{ number_text('regime_measure', 0) }} || ' in '
            || {{ month_text('regime_month') }} || ', ' || {{ deviations_text('regime_zscore_expanding') }}
            || ' its mean so far' as finding
        {%- endif %}
    from gaps
    where regime = '{{ regime }}' and sample = 'full' and timing = 'same_month'
    {% if not loop.last %}union all{% endif %}
{% endfor %}
