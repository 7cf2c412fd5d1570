-- World use of a metal by year: the cited figure of use where there is one, else of production, else the Geological Survey's
-- refinery and smelter production.
with cited as (
    select
        metal_id,
        year,
        tonnes,
        measure,
        publication || ', ' || publisher as source_name,
        case when measure = 'use' then 1 else 3 end as preference,
        cast(published_on as timestamp) as known_at
    from {{ ref('world_metal_use') }}
    where published_on <= {{ as_of_date() }}
),

surveyed as (
    select
        metal_id,
        cast(extract(year from period) as integer) as year,
        1000.0 * value as tonnes,
        'production' as measure,
        'Mineral Commodity Summaries, US Geological Survey' as source_name,
        2 as preference,
        known_at
    from {{ ref('base_observations__as_of') }}
    where
        series_id in (
            'usgs_world_copper_refinery_production_thousand_tonnes',
            'usgs_world_aluminium_smelter_production_thousand_tonnes'
        )
)

select
    metal_id,
    year,
    tonnes,
    measure,
    source_name,
    known_at
from (
    select * from cited
    union all
    select * from surveyed
) as published
qualify row_number() over (partition by metal_id, year order by preference asc, known_at desc, source_name asc) = 1
