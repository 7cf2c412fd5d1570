-- Rows of the AI aggregate behind a window of metal_attribution: quarters whose news lies in it, and those they are compared with.
{{ config(materialized='view') }}
select
    w.metal_id || '|' || cast(w.month as varchar) as row_key,
    'driver_ai_capex_aggregate' as parent_table,
    cast(q.calendar_quarter as varchar) as parent_key
from {{ ref('int_attribution__windows') }} as w
inner join {{ ref('driver_ai_capex_aggregate') }} as q
    on
        w.first_month - interval 9 month <= q.calendar_quarter
        and w.month - interval 4 month >= q.calendar_quarter
where w.regressor_id = 'ai_capex_growth' and w.is_used
