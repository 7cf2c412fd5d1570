newest as (
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
