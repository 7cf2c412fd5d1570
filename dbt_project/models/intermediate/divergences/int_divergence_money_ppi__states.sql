-- China's money against its producer prices, both as z-scores of the same month.
with scored as (
    select
        month,
        gap_zscore as money_zscore,
        ppi_zscore,
        gap_minus_ppi_zscore as gap,
        {{ expanding_zscore('gap_minus_ppi_zscore', 'month') }} as gap_zscore,
        max(known_at) over (order by month rows between unbounded preceding and current row) as known_at
    from {{ ref('divergence_money_ppi') }}
),

events as (
    select
        *,
        {{ gap_event('gap_zscore', 'month') }} as event
    from scored
    where gap_zscore is not null
)

select
    'money_ppi' as divergence_id,
    'china' as subject,
    month as period,
    {{ period_text('month', "'monthly'") }} as period_label,
    {{ month_end('month') }} as period_end,
    'M1 minus M2 growth, z-score' as left_label,
    money_zscore as left_value,
    'producer prices'' growth, z-score' as right_label,
    ppi_zscore as right_value,
    gap,
    gap_zscore,
    sign(gap_zscore) as direction,
    cast(null as varchar) as members,
    {{ is_open_after('event', 'month') }} as is_open,
    known_at,
    'divergence_money_ppi' as source_table,
    cast(month as varchar) as source_key
from events
