{{ config(materialized='table') }}
-- A corrected record of a document is a later row: the latest row known by the as-of date is used.
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
