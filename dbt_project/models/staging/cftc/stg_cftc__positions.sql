-- The measure stands in the series' name: cftc_<metal>_<measure>_contracts.
select
    series_id,
    source_id,
    metal_id,
    regexp_extract(series_id, '^cftc_' || metal_id || '_(.+)_contracts$', 1) as measure,
    period as as_of_date,
    value as contracts,
    known_at,
    known_at_basis,
    payload_id
from {{ ref('base_observations__as_of') }}
where source_id = 'cftc'
