select
    company_id,
    cik,
    valid_from,
    valid_to,
    concept,
    taxonomy,
    tag,
    tag_rank
from {{ source('raw', 'catalog_company_tag') }}
