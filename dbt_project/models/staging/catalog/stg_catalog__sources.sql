select
    source_id,
    title,
    publisher,
    group_name,
    homepage,
    licence,
    licence_class,
    credit,
    terms,
    cadence_hours,
    unofficial,
    description
from {{ source('raw', 'catalog_source') }}
