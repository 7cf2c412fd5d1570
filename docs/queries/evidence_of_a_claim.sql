-- What is the evidence for and against "money leads producer prices" (C6), with the threshold for each figure?
select role, reading, indicator, value, unit, comparison, threshold, threshold_high, period, age_days, finding
from claim_evidence
where claim_id = 'C6'
order by role, reading, indicator
