select
    metal_id,
    name,
    symbol,
    family,
    description
from {{ source('raw', 'catalog_metal') }}
