-- Realised volatility of the newest twelve months of each metal against its own history.
with measured as (
    select
        m.name as metal,
        p.period,
        p.realised_volatility_12m_annualised_pct as volatility_pct
    from metal_prices as p
    inner join metals as m using (metal_id)
    where
        p.frequency = 'monthly'
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
    (
        select 100.0 * count(*) filter (where m.volatility_pct <= r.volatility_pct) / count(*)
        from measured as m where m.metal = r.metal
    ) as percentile,
    r.first_period
from ranged as r
order by percentile desc
