-- A score of AI capital expenditure rests on every quarter of the aggregate up to its own, which is filings and no series.
{{ config(materialized='view') }}
select
    s.metal_id || '|' || s.driver_id || '|' || cast(s.month as varchar) as row_key,
    'driver_ai_capex_aggregate' as parent_table,
    cast(a.calendar_quarter as varchar) as parent_key
from {{ ref('driver_scores') }} as s
inner join {{ ref('driver_ai_capex_aggregate') }} as a on s.value_period >= a.calendar_quarter
where s.driver_id = 'ai_capex_growth' and a.like_for_like_yoy_pct is not null
