-- World use of a metal by year: the cited figure of use where there is one, else of production, else the Geological Survey's
-- refinery and smelter production. Its growth on the year before is one publisher's: the cited rate, or two years of the survey.
with cited as (
    select
        u.metal_id,
        u.year,
        u.tonnes,
        u.measure,
        u.publication || ', ' || u.publisher as source_name,
        case when u.measure = 'use' then 1 else 3 end as preference,
        cast(u.published_on as timestamp) as known_at,
        u.tonnes * g.growth_pct / (100 + g.growth_pct) as growth_tonnes,
        g.publication || ', ' || g.publisher as growth_source_name,
        cast(g.published_on as timestamp) as growth_known_at
    from {{ ref('world_metal_use') }} as u
    left join {{ ref('world_metal_use_growth') }} as g
        on
            u.metal_id = g.metal_id
            and u.year = g.year
            and u.measure = g.measure
            and g.published_on <= {{ as_of_date() }}
    where u.published_on <= {{ as_of_date() }}
),

survey as (
    select
        *,
        {{ months_earlier('value', 12, 'period', 'series_id') }} as value_year_before,
        {{ months_earlier('known_at', 12, 'period', 'series_id') }} as known_at_year_before
    from {{ ref('base_observations__as_of') }}
    where
        series_id in (
            'usgs_world_copper_refinery_production_thousand_tonnes',
            'usgs_world_aluminium_smelter_production_thousand_tonnes'
        )
),

surveyed as (
    select
        metal_id,
        cast(extract(year from period) as integer) as year,
        1000.0 * value as tonnes,
        'production' as measure,
        'Mineral Commodity Summaries, US Geological Survey' as source_name,
        2 as preference,
        known_at,
        1000.0 * (value - value_year_before) as growth_tonnes,
        case when value_year_before is not null then 'Mineral Commodity Summaries, US Geological Survey' end as growth_source_name,
        case when value_year_before is not null then greatest(known_at, known_at_year_before) end as growth_known_at
    from survey
)

select
    metal_id,
    year,
    tonnes,
    measure,
    source_name,
    known_at,
    growth_tonnes,
    growth_source_name,
    growth_known_at
from (
    select * from cited
    union all
    select * from surveyed
) as published
qualify row_number() over (partition by metal_id, year order by preference asc, known_at desc, source_name asc) = 1
