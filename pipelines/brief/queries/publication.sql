-- The build behind this page, the complete one before it, and whether anything had been published before.
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
    n.finished_at,
    p.as_of as previous_as_of,
    p.finished_at as previous_finished_at,
    (select count(*) from audit.build_diff where rows_before is not null) = 0 as is_first_publication
from newest as n
left join previous as p on true
