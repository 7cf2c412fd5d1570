-- What was the verdict of each claim at past month ends, point in time?
-- The ids are those of the project's claims: add those of your own.
pivot (select as_of, claim_id, verdict from claim_verdict_history)
on claim_id in ('C0', 'C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'D1', 'D2', 'D3', 'D4', 'S1', 'S2', 'S3')
using any_value(verdict)
order by as_of desc
