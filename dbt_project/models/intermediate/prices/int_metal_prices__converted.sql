-- Native quotations with the factor to US dollars per tonne that holds for their series and month.
-- Every publisher of a monthly price and every quotation of the seed daily_quotations is kept whole; metal_prices shows one a
-- period, metal_prices_usd one a metal.
-- `definition_from` marks the stretches over which a quotation keeps its meaning: nothing is compared across two of them.
with quotations as (
    select
        metal_id,
        frequency,
        period,
        series_id,
        unit,
        value,
        'monthly_average' as quotation,
        candidate_rank as preference,
        candidate_rank > 1 as is_fallback,
        cast(null as integer) as longest_silence_days,
        known_at,
        payload_id
    from {{ ref('int_indicators__readings') }}
    where metal_id is not null and frequency = 'monthly'

    union all

    select
        q.metal_id,
        o.frequency,
        o.period,
        o.series_id,
        o.unit,
        o.value,
        q.quotation,
        q.preference,
        q.preference > 1 as is_fallback,
        s.staleness_limit_days as longest_silence_days,
        o.known_at,
        o.payload_id
    from {{ ref('daily_quotations') }} as q
    inner join {{ ref('base_observations__as_of') }} as o on q.series_id = o.series_id
    inner join {{ ref('stg_catalog__series') }} as s on q.series_id = s.series_id
),

candidates as (
    select
        p.*,
        u.quoted_unit,
        u.usd_per_tonne_factor,
        u.valid_from,
        row_number() over (
            partition by p.series_id, p.period
            order by case when u.series_id is null then 1 else 0 end
        ) as unit_rank
    from quotations as p
    inner join {{ ref('unit_conversions') }} as u
        on
            p.unit = u.unit
            and coalesce(u.series_id, p.series_id) = p.series_id
            and (u.valid_from is null or p.period >= u.valid_from)
            and (u.valid_to is null or p.period < u.valid_to)
)

select
    metal_id,
    frequency,
    period,
    series_id,
    quotation,
    preference,
    value as price_native,
    quoted_unit as native_unit,
    value * usd_per_tonne_factor as price_usd_per_tonne,
    coalesce(valid_from, date '1900-01-01') as definition_from,
    is_fallback,
    longest_silence_days,
    known_at,
    payload_id
from candidates
where unit_rank = 1
