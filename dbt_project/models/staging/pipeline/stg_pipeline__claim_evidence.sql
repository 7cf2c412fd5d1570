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
from {{ source('raw', 'claim_evidence_history') }}
