-- The latest figure known by the end of the as-of date, with what the catalogue says of its series.
select
    o.series_id,
    s.source_id,
    s.metal_id,
    s.frequency,
    s.unit,
    o.period,
    o.value,
    o.known_at,
    o.known_at_basis,
    o.payload_id
from {{ ref('base_observations__intervals') }} as o
inner join {{ ref('stg_catalog__series') }} as s on o.series_id = s.series_id
where o.superseded_at is null
