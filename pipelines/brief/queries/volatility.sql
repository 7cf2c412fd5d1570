-- Realised volatility of the newest twelve months of each metal against its own months from 1990 on.
with measured as (
    select
        m.name as metal,
        p.period,
        p.realised_volatility_12m_annualised_pct as volatility_pct,
        p.realised_volatility_12m_percentile as percentile
    from metal_prices as p
    inner join metals as m using (metal_id)
    where
        p.frequency = 'monthly'
        and p.period >= date '1990-01-01'
        and p.realised_volatility_12m_annualised_pct is not null
        and m.family in ('base', 'precious', 'platinum_group', 'battery')
        {{ and_not_own_use('metal_prices', "p.metal_id || '|' || p.frequency || '|' || p.period") }}
),

ranged as (
    select
        metal,
        max(period) as period,
        min(period) as first_period,
        arg_max(volatility_pct, period) as volatility_pct,
        arg_max(percentile, period) as percentile,
        quantile_cont(volatility_pct, 0.1) as volatility_10th_percentile_pct,
        median(volatility_pct) as volatility_median_pct,
        quantile_cont(volatility_pct, 0.9) as volatility_90th_percentile_pct
    from measured
    group by metal
)

select
    r.metal,
    r.period,
    r.volatility_pct,
    r.volatility_10th_percentile_pct,
    r.volatility_median_pct,
    r.volatility_90th_percentile_pct,
    r.percentile,
    r.first_period
from ranged as r
order by percentile desc
