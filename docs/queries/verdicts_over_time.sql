-- How did the verdict of each claim run over the past month ends, from what was known on those days alone?
pivot (select as_of, claim_id, verdict from claim_verdict_history)
on claim_id using any_value(verdict)
order by as_of desc
