-- Moves of metals in months of high risk against other months, average of four metals, and whether the regime is on.
with today as (
    select max(as_of) as as_of from raw.build
),

limits as (
    select
        case
            when series_id = 'gpr_recent_index' then 'geopolitics'
            when series_id = 'tpu_monthly_index' then 'trade_policy'
            when series_id = 'epu_us_news_index' then 'economic_policy'
            when series_id in ('frb_fed_funds_pct', 'fred_fedfunds_pct') then 'monetary_policy'
        end as regime,
        max(staleness_limit_days) as limit_days
    from data_freshness
    where frequency = 'monthly'
    group by all
)

select
    replace(r.regime, '_', ' ') as regime,
    regime_is_on as is_on,
    regime_month,
    regime_zscore_expanding as present_zscore,
    mean_abs_return_inside_pct as inside_pct,
    mean_abs_return_outside_pct as outside_pct,
    gap_t_statistic,
    date_diff('day', last_day(r.regime_month), t.as_of) as age_days,
    date_diff('day', last_day(r.regime_month), t.as_of) > l.limit_days as is_stale
from risk_regimes as r
left join limits as l on r.regime = l.regime
cross join today as t
where
    metal_id = 'average_of_four' and sample = 'full' and timing = 'same_month'
    {{ and_not_own_use('risk_regimes', "metal_id || '|' || r.regime || '|' || sample || '|' || timing") }}
order by gap_t_statistic desc nulls last, regime
