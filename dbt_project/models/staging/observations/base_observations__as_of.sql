-- The latest figure known by the end of the as-of date, with what the catalogue says of its series. Figures of another
-- construction are left out: periods before the catalogue's first one, and periods that a file of a declared new construction
-- no longer reaches, once such a file is known.
with rewritten as (
    select
        o.series_id,
        min(o.period) as first_period
    from {{ ref('base_observations__intervals') }} as o
    inner join {{ ref('stg_catalog__series') }} as s on o.series_id = s.series_id
    where o.known_at >= s.rewritten_since
    group by o.series_id
)

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
left join rewritten as r on o.series_id = r.series_id
where
    o.superseded_at is null
    and o.period >= coalesce(s.first_period, o.period)
    and o.period >= coalesce(r.first_period, o.period)
