-- The build behind this publication, and the complete one before it.
with {% include '_builds.sql' %}


select
    n.as_of,
    n.finished_at as published_at,
    p.finished_at as previous_published_at
from newest as n
left join previous as p on true
