select
    series_id,
    metal_id,
    frequency,
    unit,
    period,
    value,
    known_at,
    known_at_basis,
    payload_id
from {{ ref('base_observations__as_of') }}
where source_id = 'worldbank_pink_sheet'
