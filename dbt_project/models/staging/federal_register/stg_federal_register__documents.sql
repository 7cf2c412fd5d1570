{{ config(materialized='table') }}
-- A corrected record of a document is a later row: the latest row known by the as-of date is used. One that a correction of the
-- catalogue drops is left out from the day on which that was known.
select
    document_number,
    topic,
    type,
    subtype,
    title,
    agencies,
    publication_date,
    signing_date,
    effective_on,
    citation,
    executive_order_number,
    proclamation_number,
    html_url,
    known_at,
    known_at_basis,
    payload_id
from {{ source('raw', 'policy_document') }}
where
    {{ known_by_as_of('known_at') }}
    and document_number not in (
        select c.document_number from {{ source('raw', 'catalog_record_correction') }} as c
        where c.action = 'drop' and c.document_number is not null and {{ known_by_as_of('c.known_on') }}
    )
qualify row_number() over (partition by document_number, topic order by known_at desc, payload_id asc) = 1
