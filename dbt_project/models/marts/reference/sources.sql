-- As the catalogue (sources.yaml) has them; retrieval outcomes are in data_freshness.
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
    unofficial as is_unofficial_channel,
    description,
    parser_has_read,
    defined_in
from {{ ref('stg_catalog__sources') }}
