-- Growth rates are the published ones. They are never recomputed from levels: the level of M1 changes definition at
-- 2024-01, the published rate at 2025-01, and a rate computed across the first would read +71 %.
with pivoted as (
    select
        period as month,
        {{ indicator_value('china_ppi_yoy_pct') }} as ppi_yoy_pct,
        {{ indicator_value('china_m1_yoy_pct') }} as m1_yoy_pct,
        {{ indicator_value('china_m2_yoy_pct') }} as m2_yoy_pct,
        {{ indicator_value('china_exports_yoy_pct') }} as exports_yoy_pct,
        {{ indicator_value('china_industrial_output_yoy_pct') }} as industrial_output_yoy_pct,
        {{ indicator_value('china_pmi_manufacturing_index') }} as pmi_manufacturing_index,
        max(known_at) as known_at
    from {{ ref('int_indicators__resolved') }}
    where
        indicator_id in (
            'china_ppi_yoy_pct', 'china_m1_yoy_pct', 'china_m2_yoy_pct', 'china_exports_yoy_pct',
            'china_industrial_output_yoy_pct', 'china_pmi_manufacturing_index'
        )
    group by period
),

-- Deflation ends with the first month above zero; a month at exactly zero is not above it.
signs as (
    select
        month,
        ppi_yoy_pct > 0 as ppi_is_positive,
        lag(ppi_yoy_pct > 0) over (order by month) as ppi_was_positive
    from pivoted
    where ppi_yoy_pct is not null
),

sign_changes as (
    select
        month,
        max(case when ppi_is_positive <> ppi_was_positive then month end) over (
            order by month rows between unbounded preceding and current row
        ) as ppi_sign_since
    from signs
),

-- January's industrial output is published with February's, so its means ask for all but one month of a quarter and all but
-- two of a year.
industry as (
    select
        month,
        {{ mean_of_most_months('industrial_output_yoy_pct', 3, 2, 'month') }} as industrial_output_yoy_3m_mean_pct,
        {{ mean_of_most_months('industrial_output_yoy_pct', 12, 10, 'month') }} as industrial_output_yoy_12m_mean_pct
    from pivoted
),

exports as (
    select
        month,
        {{ over_full_months('avg', 'exports_yoy_pct', 3, 'month') }} as exports_yoy_3m_mean_pct,
        {{ over_full_months('avg', 'exports_yoy_pct', 12, 'month') }} as exports_yoy_12m_mean_pct,
        {{ over_full_months('median', 'exports_yoy_pct', 60, 'month') }} as exports_yoy_5y_median_pct,
        {{ over_full_months('sum', 'case when exports_yoy_pct > 0 then 1 when exports_yoy_pct is not null then 0 end', 12, 'month') }}
            as exports_growth_months_12m
    from pivoted
)

select
    p.month,
    p.ppi_yoy_pct,
    s.ppi_sign_since,
    cast({{ dbt.datediff('s.ppi_sign_since', 'p.month', 'month') }} as integer) as months_since_ppi_sign_change,
    p.m1_yoy_pct,
    p.m2_yoy_pct,
    -- Rates are published to one decimal; two decimals remove the noise of binary fractions and nothing else.
    round(p.m1_yoy_pct - p.m2_yoy_pct, 2) as m1_m2_gap_pp,
    -- PBoC, statistics for January 2025 (published 2025-02-14): M1 adds personal demand deposits and client reserves
    -- of payment institutions; the growth rate of each month from 2025-01 compares like with like under the new one.
    case when p.month >= date '2025-01-01' then 'from_2025' else 'before_2025' end as m1_definition,
    p.exports_yoy_pct,
    e.exports_yoy_3m_mean_pct,
    e.exports_yoy_12m_mean_pct,
    cast(e.exports_yoy_5y_median_pct as double) as exports_yoy_5y_median_pct,
    cast(e.exports_growth_months_12m as integer) as exports_growth_months_12m,
    p.industrial_output_yoy_pct,
    i.industrial_output_yoy_3m_mean_pct,
    e.exports_yoy_12m_mean_pct - i.industrial_output_yoy_12m_mean_pct as exports_less_industrial_output_12m_pp,
    p.pmi_manufacturing_index,
    -- The present stretch of producer prices is counted from the first month on record.
    max(p.known_at) over (order by p.month rows between unbounded preceding and current row) as known_at
from pivoted as p
left join sign_changes as s on p.month = s.month
left join industry as i on p.month = i.month
left join exports as e on p.month = e.month
