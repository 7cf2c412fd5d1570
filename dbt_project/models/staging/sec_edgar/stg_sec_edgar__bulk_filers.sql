select
    cik,
    name,
    sic,
    sic_description,
    sic_missing_reason,
    facts,
    rejected,
    missing,
    refused,
    retrieved_at,
    payload_id
from {{ source('raw', 'bulk_filer') }}
