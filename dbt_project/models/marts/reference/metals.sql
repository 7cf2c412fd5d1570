-- Names, symbols and families as the catalogue (metals.yaml) has them.
select
    metal_id,
    name,
    symbol,
    family,
    description
from {{ ref('stg_catalog__metals') }}
