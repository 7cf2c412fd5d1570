-- A view, as claim_scores: how often each claim was right where it said something of the future.
{{ config(materialized='view') }}
select
    o.claim_id,
    o.measure is not null as is_scored,
    o.says_of_the_future,
    o.horizon_months,
    cast(count(case when s.score = 'hit' then 1 end) as integer) as hits,
    cast(count(case when s.score = 'miss' then 1 end) as integer) as misses,
    cast(count(case when s.score = 'not_yet' then 1 end) as integer) as not_yet,
    cast(count(case when s.score = 'no_call' then 1 end) as integer) as no_call,
    -- Verdicts of months in a row share most of what they wait for.
    cast(count(distinct case when s.score in ('hit', 'miss') then s.due_period end) as integer) as outcome_periods,
    min(s.as_of) as first_month_end,
    max(s.as_of) as last_month_end,
    o.reason,
    o.reference
from {{ ref('claim_outcomes') }} as o
left join {{ ref('claim_scores') }} as s on o.claim_id = s.claim_id
group by o.claim_id, o.measure, o.says_of_the_future, o.horizon_months, o.reason, o.reference
