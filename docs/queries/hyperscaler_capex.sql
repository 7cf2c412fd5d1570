-- How much cash did each hyperscaler put into property and equipment per calendar quarter, in billions of US dollars?
select
    company_id, calendar_quarter, round(capex_usd / 1e9, 3) as capex_usd_bn,
    round(capex_ttm_usd / 1e9, 1) as capex_12m_usd_bn, round(capex_yoy_pct, 1) as capex_yoy_pct,
    round(capex_to_operating_cash_flow_ratio, 2) as capex_to_operating_cash_flow_ratio, gap_reason
from driver_ai_capex
where calendar_quarter >= date '2024-01-01'
order by company_id, calendar_quarter
