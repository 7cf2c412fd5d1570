-- Each claim with its verdict and the evidence in a sentence.
select
    claim_id,
    statement,
    verdict,
    lines,
    {% if leaving_out %}
    case
        when true {{ and_not_own_use('claim_verdicts', 'claim_id') }} then because
        else 'The evidence rests on figures for own use only and is not shown.'
    end as because,
    {% else %}
    because,
    {% endif %}
    decisive_indicators,
    decisive_supporting,
    decisive_contradicting,
    decisive_missing_or_stale,
    decisive_ageing,
    decidable_until,
    last_verdict,
    last_verdict_on,
    known_at,
    as_of
from claim_verdicts
order by array_position(['C', 'D', 'S'], left(claim_id, 1)), claim_id
