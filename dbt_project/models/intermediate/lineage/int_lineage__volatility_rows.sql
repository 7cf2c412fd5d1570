-- Rows of the AI aggregate behind a row of metal_volatility_drivers: the quarters whose news came by its last month.
{{ config(materialized='view') }}
select
    v.family || '|' || v.sample || '|' || v.driver_id as row_key,
    'driver_ai_capex_aggregate' as parent_table,
    cast(q.calendar_quarter as varchar) as parent_key
from {{ ref('int_volatility__drivers') }} as v
inner join {{ ref('driver_ai_capex_aggregate') }} as q on v.last_month - interval 4 month >= q.calendar_quarter
where v.drivers_used like '%ai_capex%'
