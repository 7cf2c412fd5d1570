select
    source_id,
    payload_id,
    series_id,
    row,
    reason,
    quarantined_at
from {{ source('raw', 'quarantine') }}
