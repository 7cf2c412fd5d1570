-- How many publishers have given figures, how many of them have a series older than its limit, and how the figures came.
with stale as (
    select distinct source_id from data_freshness where is_stale and last_period is not null
),

held as (
    select
        source_id,
        max(last_period) as last_period
    from raw.coverage
    group by source_id
),

fetched as (
    select distinct source_id from raw.payload where origin = 'fetched'
)

select
    count(*) as publishers,
    count(*) filter (where h.source_id is not null and t.source_id is null) as current_publishers,
    count(*) filter (where t.source_id is not null) as stale_publishers,
    count(*) filter (where h.source_id is null) as missing_publishers,
    count(*) filter (where h.source_id is not null and f.source_id is null) as bundled_publishers,
    max(h.last_period) as last_period
from sources as s
left join held as h using (source_id)
left join stale as t using (source_id)
left join fetched as f using (source_id)
