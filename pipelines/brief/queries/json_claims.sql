-- Each claim with its verdict and the evidence in sentences.
select
    claim_id,
    name,
    title,
    statement,
    verdict,
    case
        when true {{ and_not_own_use('claim_verdicts', 'claim_id') }} then because
        else 'The evidence rests on figures for own use only and is not shown.'
    end as because,
    last_verdict,
    last_verdict_on,
    decidable_until,
    known_at,
    decisive_indicators,
    decisive_supporting,
    decisive_contradicting,
    decisive_missing_or_stale,
    defined_in
from claim_verdicts
order by claim_id
