-- Power density and copper, AI against traditional, from cited publications only. Several publications on one thing: the
-- lowest and the highest figure of any, and as base the median of those that give a single or average figure.
with published as (
    select
        parameter,
        segment,
        low,
        base,
        high,
        unit,
        publication,
        publisher,
        url,
        known_on
    from {{ ref('data_centre_parameters') }}
    where
        parameter in ('kw_per_rack', 't_copper_per_mw', 't_aluminium_per_mw')
        and segment in ('traditional', 'ai', 'all')
        and known_on <= {{ as_of_date() }}
),

read_off as (
    select
        parameter,
        segment,
        -- An upper figure alone says nothing about the low end, and the other way round.
        min(coalesce(low, base)) as low,
        {{ median_of('base') }} as base,
        max(coalesce(high, base)) as high,
        min(unit) as unit,
        count(*) as publications,
        string_agg(publication || ' (' || publisher || ')', '; ' order by known_on, publication) as publication,
        string_agg(url, ' ' order by known_on, publication) as url,
        max(known_on) as known_on,
        cast(null as varchar) as note
    from published
    group by parameter, segment
),

-- One kilowatt in a rack and one tonne a megawatt are one kilogram in the rack.
per_rack as (
    select
        metal.name || '_per_rack' as parameter,
        d.segment,
        d.low * m.low as low,
        d.base * m.base as base,
        d.high * m.high as high,
        'kg' as unit,
        d.publications + m.publications as publications,
        d.publication || '; ' || m.publication as publication,
        d.url || ' ' || m.url as url,
        greatest(d.known_on, m.known_on) as known_on,
        'kw_per_rack of the segment times ' || metal.parameter || ' of the segment ' || m.segment as note
    from read_off as d
    cross join (
        values ('t_copper_per_mw', 'kg_copper'), ('t_aluminium_per_mw', 'kg_aluminium')
    ) as metal (parameter, name)
    -- A segment whose metal has no base figure takes that of all sites: the product then differs by density alone.
    inner join read_off as m on metal.parameter = m.parameter
    where d.parameter = 'kw_per_rack' and m.segment in (d.segment, 'all')
    qualify
        row_number() over (
            partition by metal.parameter, d.segment
            order by case when m.base is null then 1 else 0 end, case when m.segment = d.segment then 0 else 1 end
        ) = 1
),

everything as (
    select * from read_off
    union all
    select * from per_rack
),

-- Over the base of the other; the ends are the narrowest and the widest reading of the two ranges.
ratios as (
    select
        a.parameter,
        'ai_over_traditional' as segment,
        a.low / t.high as low,
        a.base / t.base as base,
        a.high / t.low as high,
        'ratio' as unit,
        a.publications + t.publications as publications,
        a.publication || '; ' || t.publication as publication,
        a.url || ' ' || t.url as url,
        greatest(a.known_on, t.known_on) as known_on,
        case
            when a.base is null then 'no base figure for AI sites'
            when t.base is null then 'no base figure for traditional sites'
            else 'AI: ' || a.note || '; traditional: ' || t.note
        end as note
    from everything as a
    inner join everything as t on a.parameter = t.parameter
    where a.segment = 'ai' and t.segment = 'traditional'
)

select
    segment,
    parameter,
    cast(low as double) as low,
    cast(base as double) as base,
    cast(high as double) as high,
    unit,
    cast(publications as integer) as publications,
    publication,
    url,
    note,
    known_on,
    cast(known_on as timestamp) as known_at
from (
    select * from everything
    union all
    select * from ratios
) as rows_of_all
