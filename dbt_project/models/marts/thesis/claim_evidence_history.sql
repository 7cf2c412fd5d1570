-- A view, as claim_verdict_history.
{{ config(materialized='view') }}
select
    as_of,
    claim_id,
    indicator,
    role,
    value,
    unit,
    period,
    known_at,
    reading,
    is_stale,
    is_ageing,
    finding
from {{ ref('stg_pipeline__claim_evidence') }}
where as_of <= {{ as_of_date() }}
