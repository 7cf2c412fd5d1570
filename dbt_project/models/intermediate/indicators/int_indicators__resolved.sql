-- One figure per indicator and period: the default publisher's, or where it has none the next one's, marked as such.
select
    indicator_id,
    unit,
    frequency,
    period,
    value,
    series_id,
    source_id,
    metal_id,
    candidate_rank > 1 as is_fallback,
    known_at,
    known_at_basis,
    payload_id
from {{ ref('int_indicators__readings') }}
qualify row_number() over (partition by indicator_id, period order by candidate_rank) = 1
