-- Which claims hold today, how many decisive indicators speak for and against, and since when has each verdict held?
with since as (
    select claim_id, max(as_of) filter (where has_flipped) as flipped_on_month_end
    from claim_verdict_history
    group by claim_id
)
select
    v.claim_id, v.title, v.verdict, v.decisive_supporting, v.decisive_contradicting,
    v.decisive_missing_or_stale, s.flipped_on_month_end, v.as_of
from claim_verdicts as v
left join since as s using (claim_id)
order by v.claim_id
