-- How many divergences there are, how many of them are not closed, and how many stand on old figures.
select
    count(*) as divergences,
    count(*) filter (where state <> 'closed') as not_closed,
    count(*) filter (where is_stale) as stale
from divergences
where true {{ and_not_own_use('divergences', "divergence_id || '|' || subject") }}
