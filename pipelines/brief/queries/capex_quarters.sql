-- Cash capital expenditure of each hyperscaler by calendar quarter, in three years.
with newest as (select max(calendar_quarter) as calendar_quarter from driver_ai_capex where capex_usd is not null)

select
    q.calendar_quarter,
    q.company_id as company,
    q.capex_usd,
    q.capex_usd / 1e9 as capex_bn,
    q.capex_yoy_pct,
    q.gap_reason
from driver_ai_capex as q
inner join companies as c using (company_id)
cross join newest as n
where
    c.role = 'hyperscaler'
    and q.calendar_quarter between n.calendar_quarter - interval 33 month and n.calendar_quarter
    {{ and_not_own_use('driver_ai_capex', "q.company_id || '|' || q.fiscal_year || '|' || q.fiscal_quarter") }}
order by q.calendar_quarter desc, q.company_id
