select
    source_id,
    request_key,
    checked_at,
    outcome,
    payload_id,
    error,
    seconds
from {{ source('raw', 'retrieval') }}
