-- Claims, and since when a newer decisive figure is due by its publisher's calendar. Figures too old to count are left out.
with claims_judged as (
    select
        claim_id,
        min(as_of - age_days + due_days) filter (where age_days > due_days) as current_until
    from claim_evidence
    where
        role = 'decisive' and age_days is not null and not is_stale
        {{ and_not_own_use('claim_evidence', "claim_id || '|' || indicator") }}
    group by claim_id
)

select
    coalesce(v.title || ' (' || j.claim_id || ')', j.claim_id) as claim,
    j.current_until,
    count(j.current_until) over () as claims_due,
    count(*) over () as claims_judged
from claims_judged as j
left join claim_verdicts as v using (claim_id)
order by j.current_until nulls last, j.claim_id
