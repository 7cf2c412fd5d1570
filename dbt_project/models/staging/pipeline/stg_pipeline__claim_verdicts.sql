select
    as_of,
    claim_id,
    verdict,
    because,
    decisive_indicators,
    decisive_supporting,
    decisive_contradicting,
    decisive_missing_or_stale,
    decisive_ageing,
    decidable_until,
    known_at
from {{ source('raw', 'claim_history') }}
