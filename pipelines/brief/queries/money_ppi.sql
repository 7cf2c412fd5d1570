-- China's M1 less M2 growth and its producer prices, in their own units; the gap is also shown moved ahead by the lead that
-- fits best. M1 was redefined in January 2025.
with lead as (
    select lag_months
    from lead_lag_money_ppi
    where
        sample = 'full' and is_max
        {{ and_not_own_use('lead_lag_money_ppi', "sample || '|' || lag_months") }}
)

select
    d.month,
    cast(d.month + to_months((select lag_months from lead)) as date) as gap_shown_at_month,
    (select lag_months from lead) as lead_months,
    replace(d.m1_definition, '_', ' ') as m1_definition,
    d.gap_pp,
    d.ppi_yoy_pct,
    d.turning_point_kind,
    d.turning_point_month
from divergence_money_ppi as d
where
    d.month >= date '2015-01-01' and coalesce(d.gap_pp, d.ppi_yoy_pct) is not null
    {{ and_not_own_use('divergence_money_ppi', "d.month") }}
order by d.month desc
