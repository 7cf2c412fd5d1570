-- Claims whose verdict differs from the last published one.
select
    f.claim_id,
    v.statement,
    f.verdict_before,
    f.verdict_after
from audit.verdict_flips as f
inner join claim_verdicts as v using (claim_id)
order by f.claim_id
