-- What was known when: each figure with the half-open interval in which it was the latest one known.
-- Rows learnt after the as-of date are left out before anything else looks at them.
{{ config(materialized='table') }}

select
    series_id,
    period,
    value,
    decimals,
    known_at,
    lead(known_at) over (partition by series_id, period order by known_at) as superseded_at,
    known_at_basis,
    payload_id
from {{ source('raw', 'observation') }}
where {{ known_by_as_of('known_at') }}
order by series_id, period, known_at
