-- Computed in Python (int_risk_regimes__gaps), joined to the state of each regime in its newest month.
with newest as (
    select
        regime,
        month,
        measure,
        zscore_expanding,
        is_inside,
        known_at
    from {{ ref('int_risk_regimes__months') }}
    qualify row_number() over (partition by regime order by month desc) = 1
)

select
    g.metal_id,
    g.regime,
    g.sample,
    g.timing,
    g.first_month,
    g.last_month,
    g.months_inside,
    g.months_outside,
    g.episodes_inside,
    g.mean_abs_return_inside_pct,
    g.mean_abs_return_outside_pct,
    g.gap_pct,
    g.mean_abs_return_inside_pct / g.mean_abs_return_outside_pct as inside_over_outside_ratio,
    g.gap_standard_error_pct,
    g.gap_lower_95_pct,
    g.gap_upper_95_pct,
    g.gap_t_statistic,
    g.gap_p_value_one_sided,
    g.hac_lags_months,
    case when g.gap_t_statistic is null then 'fewer than 12 months inside or outside' end as gap_reason,
    n.month as regime_month,
    n.measure as regime_measure,
    n.zscore_expanding as regime_zscore_expanding,
    n.is_inside as regime_is_on,
    greatest(g.known_at, n.known_at) as known_at
from {{ ref('int_risk_regimes__gaps') }} as g
inner join newest as n on g.regime = n.regime
