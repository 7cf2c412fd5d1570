select
    claim_id,
    name,
    statement,
    what_would_change_it
from {{ source('raw', 'catalog_claim') }}
