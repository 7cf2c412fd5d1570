-- The verdict of each claim at the end of each of the last twelve months, and today's.
select
    claim_id,
    as_of,
    verdict
from claim_verdict_history
where as_of > (select max(as_of) from claim_verdicts) - interval 12 month
union
select
    claim_id,
    as_of,
    verdict
from claim_verdicts
order by claim_id, as_of
