-- Unweighted means over the metals of a family that have a price of the month.
-- A month with fewer than half of the family's metals has no row: a small part is not comparable with the family.
-- Means are taken in the order of the metals, so that two builds of one day agree to the last bit.
with expected as (
    select
        family,
        count(*) as metals_expected
    from {{ ref('metals') }}
    group by family
),

grouped as (
    select
        a.family,
        a.month,
        cast(count(*) as integer) as metals_available,
        cast(max(e.metals_expected) as integer) as metals_expected,
        string_agg(a.metal_id, ', ' order by a.metal_id) as metals,
        avg(a.return_standard_deviation_pct order by a.metal_id) as return_standard_deviation_pct,
        avg(a.r_squared_adjusted order by a.metal_id) as r_squared_adjusted,
        count(a.recent_macroeconomy_r_squared_adjusted) as with_recent,
        avg(a.recent_macroeconomy_r_squared_adjusted order by a.metal_id) as recent_macroeconomy_r_squared_adjusted,
        min(a.recent_months_used) as recent_months_used,
        count(a.oos_macroeconomy_r_squared) as with_error,
        avg(a.oos_macroeconomy_r_squared order by a.metal_id) as oos_macroeconomy_r_squared,
        min(a.oos_macroeconomy_months) as oos_macroeconomy_months,
        -- 1.645: the one-sided 5 % point of the normal distribution, as Clark and West (2007) use it.
        avg(case when a.oos_macroeconomy_clark_west_t > 1.645 then 1.0 when a.oos_macroeconomy_clark_west_t is not null then 0.0 end)
            as oos_macroeconomy_significant_share,
        bool_and(a.macroeconomy_is_complete) as macroeconomy_is_complete,
        max(a.known_at) as known_at
    from {{ ref('metal_attribution') }} as a
    inner join expected as e on a.family = e.family
    group by a.family, a.month
)

select
    family,
    month,
    metals_available,
    metals_expected,
    metals,
    return_standard_deviation_pct,
    r_squared_adjusted,
    case when with_recent = metals_available then recent_macroeconomy_r_squared_adjusted end as recent_macroeconomy_r_squared_adjusted,
    recent_months_used,
    case when with_error = metals_available then oos_macroeconomy_r_squared end as oos_macroeconomy_r_squared,
    oos_macroeconomy_months,
    case when with_error = metals_available then oos_macroeconomy_significant_share end as oos_macroeconomy_significant_share,
    macroeconomy_is_complete,
    known_at
from grouped
where 2 * metals_available >= metals_expected
