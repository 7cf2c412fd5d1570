-- A changed line of the list is a later row: the latest row known by the as-of date is used.
select
    release_id,
    title,
    status,
    release_start_date,
    known_at,
    known_at_basis,
    payload_id
from {{ source('raw', 'tariff_release') }}
where {{ known_by_as_of('known_at') }}
qualify row_number() over (partition by release_id order by known_at desc, payload_id asc) = 1
