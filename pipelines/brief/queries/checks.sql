-- The audit before this publication.
select
    check_name,
    passed,
    is_blocking,
    said
from audit.finding
order by passed, check_name
