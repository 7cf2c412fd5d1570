-- The build behind this page, the complete one before it, and whether anything had been published before.
with builds as (
    select
        as_of,
        started_at,
        finished_at,
        row_number() over (order by started_at desc) as newest_first
    from raw.build
    where succeeded and coalesce(selection, '') = ''
)

select
    b.as_of,
    b.finished_at,
    p.as_of as previous_as_of,
    p.finished_at as previous_finished_at,
    (select count(*) from audit.build_diff where rows_before is not null) = 0 as is_first_publication
from builds as b
left join builds as p on p.newest_first = 2
where b.newest_first = 1
