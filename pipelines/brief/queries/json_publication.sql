-- The build behind this publication, and the complete one before it.
with newest as (
    select * from raw.build
    order by started_at desc
    limit 1
),

previous as (
    select b.* from raw.build as b
    cross join newest as n
    where b.succeeded and coalesce(b.selection, '') = '' and b.started_at < n.started_at and b.as_of <= n.as_of
    order by b.started_at desc
    limit 1
)

select
    n.as_of,
    n.finished_at as published_at,
    p.finished_at as previous_published_at
from newest as n
left join previous as p on true
