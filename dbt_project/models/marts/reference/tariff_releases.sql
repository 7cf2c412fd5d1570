-- When the printed tariff schedule changed; which duty applied from which day is in policy_events.
select
    release_id,
    title,
    status,
    status = 'current' as is_current,
    release_start_date,
    known_at,
    known_at_basis,
    payload_id,
    {{ as_of_date() }} as as_of
from {{ ref('stg_usitc_hts__releases') }}
