-- Each claim with its verdict, decided ones first, and the last verdict that could be given.
select
    claim_id,
    title,
    statement,
    verdict,
    replace(lines, '_', ' ') as lines,
    decisive_indicators,
    decisive_supporting,
    decisive_contradicting,
    decisive_missing_or_stale,
    decisive_indicators - decisive_supporting - decisive_contradicting - decisive_missing_or_stale as decisive_undecided,
    decisive_ageing,
    decidable_until,
    last_verdict,
    last_verdict_on,
    known_at,
    as_of,
    defined_in
from claim_verdicts
order by
    coalesce(array_position(['supported', 'contradicted', 'mixed', 'undetermined', 'no_data'], verdict), 9),
    array_position(['C', 'D', 'S'], left(claim_id, 1)),
    claim_id
