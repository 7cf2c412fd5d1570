-- Published tables that grew or shrank since the last publication.
select
    table_name,
    rows_before,
    rows_after,
    rows_after - rows_before as rows_more
from audit.build_diff
where rows_before <> rows_after
order by table_name
