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
    description,
    parser_has_read,
    coalesce(defined_in, 'project') as defined_in
from {{ source('raw', 'catalog_source') }}
