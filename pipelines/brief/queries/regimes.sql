-- Moves of metals in months of high risk against other months, average of four metals, and whether the regime is on.
select
    replace(regime, '_', ' ') as regime,
    regime_is_on as is_on,
    regime_month,
    regime_zscore_expanding as present_zscore,
    mean_abs_return_inside_pct as inside_pct,
    mean_abs_return_outside_pct as outside_pct,
    gap_t_statistic
from risk_regimes
where
    metal_id = 'average_of_four' and sample = 'full' and timing = 'same_month'
    {{ and_not_own_use('risk_regimes', "metal_id || '|' || regime || '|' || sample || '|' || timing") }}
order by gap_t_statistic desc nulls last, regime
