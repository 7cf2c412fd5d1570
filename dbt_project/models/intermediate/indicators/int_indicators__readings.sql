-- Every series that can stand for an indicator, brought to the indicator's unit and sign.
select
    i.indicator_id,
    i.unit,
    i.frequency,
    i.candidate_rank,
    i.tolerance_pct,
    i.tolerance_absolute,
    o.series_id,
    o.source_id,
    o.metal_id,
    o.period,
    i.factor * o.value as value,
    o.known_at,
    o.known_at_basis,
    o.payload_id
from {{ ref('base_observations__as_of') }} as o
inner join {{ ref('stg_catalog__indicators') }} as i on o.series_id = i.series_id
