-- What was known when: each figure with the half-open interval in which it was the latest one known.
-- Rows learnt after the as-of date are left out before anything else looks at them. Sorted by the end of the interval, what
-- was known on a day lies together at the end of the table: a question about one day skips what had been replaced by then.
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
order by superseded_at nulls last, known_at
