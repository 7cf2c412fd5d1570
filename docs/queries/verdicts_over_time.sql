-- What was the verdict of each claim at past month ends, point in time?
pivot (select as_of, claim_id, verdict from claim_verdict_history)
on claim_id using any_value(verdict)
order by as_of desc
