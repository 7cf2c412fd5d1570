select
    payload_id,
    source_id,
    request_key,
    url,
    retrieved_at,
    status,
    content_type,
    bytes,
    origin,
    fidelity,
    publisher,
    credit,
    licence
from {{ source('raw', 'payload') }}
