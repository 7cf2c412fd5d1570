-- Capacity clearance as a divergence: net investment against margin, both in per cent of revenue. Open is the paradox: of a
-- producer by its own mart, of a sector where most of the producers that can be judged are in it.
with producers as (
    select
        company_id as subject,
        cast({{ dbt.dateadd('month', -9, 'calendar_quarter') }} as date) as period,
        {{ period_text('calendar_quarter', "'quarterly'") }} as period_label,
        period_end,
        100.0 * (capex_12m_usd - depreciation_12m_usd) / nullif(revenue_12m_usd, 0) as left_value,
        margin_pct as right_value,
        cast(null as varchar) as members,
        is_paradox as is_open,
        reporting = 'year' as is_yearly,
        known_at,
        'divergence_capacity_clearance' as source_table,
        company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar) as source_key
    from {{ ref('divergence_capacity_clearance') }}
),

sectors as (
    select
        sector as subject,
        cast({{ dbt.dateadd('month', -9, 'calendar_quarter') }} as date) as period,
        {{ period_text('calendar_quarter', "'quarterly'") }} as period_label,
        period_end,
        net_investment_pct_revenue as left_value,
        margin_pct as right_value,
        margin_members as members,
        paradox_share_ratio > 0.5 as is_open,
        false as is_yearly,
        known_at,
        'divergence_capacity_clearance_sector' as source_table,
        sector || '|' || cast(calendar_quarter as varchar) as source_key
    from {{ ref('divergence_capacity_clearance_sector') }}
    -- As in D1: the first producers to file are not the sector.
    where coverage_ratio >= 0.5
),

either as (
    select * from producers
    union all
    select * from sectors
)

select
    'capacity_clearance' as divergence_id,
    subject,
    period,
    -- Of the quarter in which the twelve months end.
    period_label,
    period_end,
    'capex less depreciation, per cent of revenue' as left_label,
    left_value,
    'operating margin (before tax where there is no operating line), per cent of revenue' as right_label,
    right_value,
    left_value - right_value as gap,
    -- As for the quartile: four years of history.
    case
        when is_yearly then {{ expanding_zscore('left_value - right_value', 'period', 'subject', 4) }}
        else {{ expanding_zscore('left_value - right_value', 'period', 'subject', 16) }}
    end as gap_zscore,
    1 as direction,
    members,
    is_open,
    known_at,
    source_table,
    source_key
from either
where left_value is not null and right_value is not null
