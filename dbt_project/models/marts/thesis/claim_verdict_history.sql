-- A view: the months are computed after the models, from the models themselves run for each day (pipelines.transform.history).
{{ config(materialized='view') }}
select
    as_of,
    claim_id,
    verdict,
    lag(verdict) over (partition by claim_id order by as_of) as verdict_month_before,
    coalesce(verdict <> lag(verdict) over (partition by claim_id order by as_of), false) as has_flipped,
    because,
    decisive_indicators,
    decisive_supporting,
    decisive_contradicting,
    decisive_missing_or_stale,
    decisive_ageing,
    decidable_until,
    known_at
from {{ ref('int_claims__verdict_history') }}
where as_of <= {{ as_of_date() }}
