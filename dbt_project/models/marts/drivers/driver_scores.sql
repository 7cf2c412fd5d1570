-- Which driver bears on which metal, and how, is the seed driver_exposures: no literature, no row. Nothing is fitted.
with exposed as (
    select
        e.metal_id,
        e.driver_id,
        d.driver_group,
        d.frequency,
        u.month,
        u.value,
        u.value_period,
        u.staleness_months,
        u.zscore,
        {{ winsorised('u.zscore', 3) }} as zscore_winsorised,
        e.sign,
        e.weight,
        u.gap_reason,
        u.known_at
    from {{ ref('driver_exposures') }} as e
    inner join {{ ref('drivers') }} as d on e.driver_id = d.driver_id
    inner join {{ ref('int_drivers__usable') }} as u
        on e.driver_id = u.driver_id and coalesce(u.metal_id, e.metal_id) = e.metal_id
),

weighted as (
    select
        *,
        sum(case when zscore_winsorised is not null then weight end) over (partition by metal_id, month) as weight_available
    from exposed
)

select
    metal_id,
    driver_id,
    driver_group,
    month,
    value,
    value_period,
    {{ period_text('value_period', 'frequency') }} as value_period_label,
    staleness_months,
    zscore,
    zscore_winsorised,
    sign,
    weight,
    {{ on_exact_grid('sign * weight * zscore_winsorised / weight_available') }} as contribution,
    gap_reason,
    known_at
from weighted
