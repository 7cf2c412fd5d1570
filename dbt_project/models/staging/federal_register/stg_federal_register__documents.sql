{{ config(materialized='table') }}
-- A document whose record the publisher mended is a later row: the latest one known by the as-of date speaks.
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
where {{ known_by_as_of('known_at') }}
qualify row_number() over (partition by document_number, topic order by known_at desc, payload_id asc) = 1
