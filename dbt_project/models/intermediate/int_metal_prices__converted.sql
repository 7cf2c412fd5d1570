-- Native quotations with the factor to US dollars per tonne that holds for their series and month.
-- Where the default publisher lacks a month, the one that stands in is marked.
-- `definition` numbers the stretches over which a quotation keeps its meaning: nothing is compared across two of them.
with candidates as (
    select
        p.metal_id,
        p.frequency,
        p.period,
        p.series_id,
        p.value as price_native,
        p.is_fallback,
        u.quoted_unit,
        u.usd_per_tonne_factor,
        u.valid_from,
        p.known_at,
        p.payload_id,
        row_number() over (
            partition by p.series_id, p.period
            order by case when u.series_id is null then 1 else 0 end
        ) as preference
    from {{ ref('int_indicators__resolved') }} as p
    inner join {{ ref('unit_conversions') }} as u
        on
            p.unit = u.unit
            and coalesce(u.series_id, p.series_id) = p.series_id
            and (u.valid_from is null or p.period >= u.valid_from)
            and (u.valid_to is null or p.period < u.valid_to)
    where p.metal_id is not null
)

select
    metal_id,
    frequency,
    period,
    series_id,
    price_native,
    quoted_unit as native_unit,
    price_native * usd_per_tonne_factor as price_usd_per_tonne,
    coalesce(valid_from, date '1900-01-01') as definition_from,
    is_fallback,
    known_at,
    payload_id
from candidates
where preference = 1
