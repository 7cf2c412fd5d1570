-- The months of each risk regime, point-in-time: z-scores use past months only. The bar is one standard deviation above the mean,
-- about a sixth of the months of a normal series: enough months to test, and not the usual state.
{% set bar_zscore = 1 %}
{% set regimes = [
    ('monetary_policy', 'driver_monetary', 'fed_funds_change_12m_pp', 'fed_funds_shift_zscore_expanding'),
    ('geopolitics', 'driver_geopolitics', 'gpr_index', 'gpr_zscore_expanding'),
    ('trade_policy', 'driver_geopolitics', 'tpu_index', 'tpu_zscore_expanding'),
    ('economic_policy', 'driver_geopolitics', 'epu_us_index', 'epu_us_zscore_expanding'),
] %}
{% for regime, mart, measure, zscore in regimes %}
    select
        '{{ regime }}' as regime,
        month,
        {{ measure }} as measure,
        {{ zscore }} as zscore_expanding,
        {{ zscore }} >= {{ bar_zscore }} as is_inside,
        known_at
    from {{ ref(mart) }}
    where {{ zscore }} is not null
    {% if not loop.last %}union all{% endif %}
{% endfor %}
