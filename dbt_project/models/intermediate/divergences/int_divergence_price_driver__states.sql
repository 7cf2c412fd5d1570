-- Each metal's price against its drivers.
select
    'price_driver' as divergence_id,
    metal_id as subject,
    month as period,
    {{ period_text('month', "'monthly'") }} as period_label,
    {{ month_end('month') }} as period_end,
    'price, return over 12 months, z-score' as left_label,
    price_zscore as left_value,
    'composite of its drivers, z-score' as right_label,
    composite_zscore as right_value,
    gap,
    gap_zscore,
    sign(gap_zscore) as direction,
    cast(null as varchar) as members,
    is_open,
    known_at,
    'divergence_price_driver' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key
from {{ ref('divergence_price_driver') }}
where gap_zscore is not null
