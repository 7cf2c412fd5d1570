-- Facts in US dollars from periodic reports, also of transition periods (10-KT, 10-QT: the odd months when a fiscal year
-- changes), and from 8-Ks that recast earlier years (flagged).
-- Proxy statements and prospectuses are left out: they repeat figures without audit, and some at a wrong scale.
select
    cik,
    taxonomy,
    tag,
    period_start,
    period_end,
    {{ dbt.datediff('period_start', 'period_end', 'day') }} + 1 as duration_days,
    value as value_usd,
    accession,
    form,
    form in ('8-K', '8-K/A') as is_recast,
    filed,
    known_at,
    known_at_basis,
    payload_id
from {{ source('raw', 'filing_fact') }}
where
    {{ known_by_as_of('known_at') }}
    and unit = 'USD'
    and form in (
        '10-K', '10-K/A', '10-KT', '10-KT/A', '10-Q', '10-Q/A', '10-QT', '10-QT/A', '20-F', '20-F/A', '40-F', '40-F/A',
        '8-K', '8-K/A'
    )
