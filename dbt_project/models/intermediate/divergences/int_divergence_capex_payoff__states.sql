-- Capital expenditure against the cash that comes in, both as a share of revenue: what is left between them has to pay for
-- everything else. Open where capex takes at least the share of operating cash flow that rule D2 calls a strain.
{% set min_zscore_quarters = 8 %}
with sides as (
    select
        p.subject,
        p.calendar_quarter,
        p.margin_members as members,
        p.quarter_end,
        p.capex_to_revenue_pct,
        p.operating_cash_flow_to_revenue_pct,
        p.capex_to_revenue_pct - p.operating_cash_flow_to_revenue_pct as gap_pp,
        -- Without positive cash flow there is no ratio, and every outlay is a strain.
        coalesce(
            p.capex_to_operating_cash_flow_ratio >= r.threshold, p.operating_cash_flow_to_revenue_pct <= 0, false
        ) as is_open,
        p.known_at
    from {{ ref('divergence_capex_payoff') }} as p
    cross join {{ ref('claim_rules') }} as r
    where
        r.claim_id = 'D2'
        and r.indicator = 'capex_to_operating_cash_flow_ratio'
        and p.capex_to_revenue_pct is not null
)

select
    'capex_payoff' as divergence_id,
    subject,
    calendar_quarter as period,
    {{ period_text('calendar_quarter', "'quarterly'") }} as period_label,
    quarter_end as period_end,
    'capital expenditure of twelve months, per cent of revenue' as left_label,
    capex_to_revenue_pct as left_value,
    'operating cash flow of twelve months, per cent of revenue' as right_label,
    operating_cash_flow_to_revenue_pct as right_value,
    gap_pp as gap,
    {{ expanding_zscore('gap_pp', 'calendar_quarter', 'subject', min_zscore_quarters) }} as gap_zscore,
    1 as direction,
    members,
    is_open,
    known_at,
    'divergence_capex_payoff' as source_table,
    subject || '|' || cast(calendar_quarter as varchar) as source_key
from sides
