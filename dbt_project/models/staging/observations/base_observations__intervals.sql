-- Each figure with the half-open interval in which it was the latest one known. Rows learnt after the as-of date are left out first.
-- A correction of the catalogue replaces the figure that it names from the day on which it was known, and only while the publisher
-- still states that figure. The table is sorted by the end of the interval: a query for one day skips what was superseded by then.
{{ config(materialized='table') }}

with published as (
    select
        series_id,
        period,
        value,
        decimals,
        known_at,
        lead(known_at) over (partition by series_id, period order by known_at) as superseded_at,
        known_at_basis,
        payload_id,
        -- A refinement only adds digits: a correction of the figure as first printed holds for it too.
        sum(case when known_at_basis = 'refined' then 0 else 1 end)
            over (partition by series_id, period order by known_at) as revision
    from {{ source('raw', 'observation') }}
    where {{ known_by_as_of('known_at') }}
),

printed as (
    select
        *,
        first_value(value) over (partition by series_id, period, revision order by known_at) as first_value_printed,
        first_value(decimals) over (partition by series_id, period, revision order by known_at) as first_decimals
    from published
),

corrected as (
    select
        p.series_id,
        p.period,
        p.known_at,
        c.corrected,
        greatest(p.known_at, cast(c.known_on as timestamp)) as corrected_from
    from printed as p
    inner join {{ source('raw', 'catalog_correction') }} as c on p.series_id = c.series_id and p.period = c.period
    where
        c.action in ('drop', 'override')
        and {{ known_by_as_of('c.known_on') }}
        and abs(p.first_value_printed - c.published)
        <= 0.5 * power(10, -coalesce(p.first_decimals, 9)) + 1e-9 * abs(c.published)
        and (p.superseded_at is null or p.superseded_at > c.known_on)
),

as_published as (
    select
        p.series_id,
        p.period,
        p.value,
        p.decimals,
        p.known_at,
        coalesce(c.corrected_from, p.superseded_at) as superseded_at,
        p.known_at_basis,
        p.payload_id
    from published as p
    left join corrected as c on p.series_id = c.series_id and p.period = c.period and p.known_at = c.known_at
    where c.corrected_from is null or c.corrected_from > p.known_at
),

as_corrected as (
    select
        p.series_id,
        p.period,
        c.corrected as value,
        p.decimals,
        c.corrected_from as known_at,
        p.superseded_at,
        'corrected' as known_at_basis,
        p.payload_id
    from published as p
    inner join corrected as c on p.series_id = c.series_id and p.period = c.period and p.known_at = c.known_at
    where c.corrected is not null
)

select * from as_published
union all
select * from as_corrected
order by superseded_at nulls last, known_at
