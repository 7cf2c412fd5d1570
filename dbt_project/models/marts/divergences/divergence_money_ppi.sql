-- Both sides are of the same month: the lead of money is estimated in lead_lag_money_ppi and not assumed here.
with scored as (
    select
        month,
        m1_m2_gap_pp as gap_pp,
        {{ expanding_zscore('m1_m2_gap_pp', 'month') }} as gap_zscore,
        m1_definition,
        ppi_yoy_pct,
        {{ expanding_zscore('ppi_yoy_pct', 'month') }} as ppi_zscore,
        known_at
    from {{ ref('driver_china_cycle') }}
)

select
    s.month,
    s.gap_pp,
    s.gap_zscore,
    s.m1_definition,
    s.ppi_yoy_pct,
    s.ppi_zscore,
    s.gap_zscore - s.ppi_zscore as gap_minus_ppi_zscore,
    t.turning_point_kind,
    t.turning_point_month,
    t.turning_point_gap_pp,
    round(s.gap_pp - t.turning_point_gap_pp, 2) as gap_change_since_turning_point_pp,
    t.turning_point_confirmed_month,
    cast({{ dbt.datediff('t.turning_point_month', 's.month', 'month') }} as integer) as months_since_turning_point,
    -- A turn whose confirming move crosses the new definition of M1 may be an artefact of that change.
    t.turning_point_month < date '2025-01-01' and t.turning_point_confirmed_month >= date '2025-01-01'
        as turning_point_spans_m1_break,
    s.known_at
from scored as s
left join {{ ref('int_money_ppi__turning_points') }} as t on s.month = t.month
