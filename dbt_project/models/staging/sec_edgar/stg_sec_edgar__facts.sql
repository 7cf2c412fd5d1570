-- Facts in US dollars from periodic reports, also of transition periods (10-KT, 10-QT: the odd months when a fiscal year
-- changes), and from 8-Ks that recast earlier years (flagged).
-- Proxy statements and prospectuses are left out: they repeat figures without audit, and some at a wrong scale.
-- Of a fact that changed inside its filing, the latest version known by the as-of date stands; one that the SEC has withdrawn by
-- then is left out. A correction of the catalogue applies from the day on which it was known, while the SEC states what it is of.
with latest as (
    select * from {{ source('raw', 'filing_fact') }}
    where {{ known_by_as_of('known_at') }}
    qualify
        row_number() over (
            partition by cik, taxonomy, tag, unit, period_start, period_end, accession
            order by known_at desc, payload_id asc
        ) = 1
),

corrections as (
    select * from {{ source('raw', 'catalog_record_correction') }}
    where action in ('drop', 'override') and {{ known_by_as_of('known_on') }}
),

corrected as (
    select
        f.*,
        c.action,
        c.corrected,
        c.known_on
    from latest as f
    left join corrections as c
        on
            f.cik = c.cik
            and f.taxonomy = c.taxonomy
            and f.tag = c.tag
            and f.unit = c.unit
            and (f.period_start = c.period_start or f.period_start is null and c.period_start is null)
            and f.period_end = c.period_end
            and f.accession = coalesce(c.accession, f.accession)
            and abs(f.value - c.published) <= 1e-9 * abs(c.published)
    -- The correction of one filing goes before that of all.
    qualify
        row_number() over (
            partition by f.cik, f.taxonomy, f.tag, f.unit, f.period_start, f.period_end, f.accession
            order by c.accession asc nulls last, c.known_on desc nulls last, c.correction_id asc
        ) = 1
)

select
    cik,
    taxonomy,
    tag,
    period_start,
    period_end,
    {{ dbt.datediff('period_start', 'period_end', 'day') }} + 1 as duration_days,
    case when action = 'override' then corrected else value end as value_usd,
    accession,
    form,
    form in ('8-K', '8-K/A') as is_recast,
    filed,
    case when action = 'override' then greatest(known_at, cast(known_on as timestamp)) else known_at end as known_at,
    case when action = 'override' then 'corrected' else known_at_basis end as known_at_basis,
    payload_id
from corrected
where
    known_at_basis <> 'withdrawn'
    and coalesce(action, '') <> 'drop'
    and unit = 'USD'
    and form in (
        '10-K', '10-K/A', '10-KT', '10-KT/A', '10-Q', '10-Q/A', '10-QT', '10-QT/A', '20-F', '20-F/A', '40-F', '40-F/A',
        '8-K', '8-K/A'
    )
