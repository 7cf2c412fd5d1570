-- A changed line of the index is a later row: the latest row known by the as-of date is used.
with listed as (
    select
        cik,
        accession,
        form,
        filing_date,
        report_date,
        primary_document,
        known_at,
        known_at_basis,
        payload_id
    from {{ source('raw', 'filing') }}
    where {{ known_by_as_of('known_at') }}
    qualify row_number() over (partition by cik, accession order by known_at desc, payload_id asc) = 1
),

-- Any fact counts, whatever its unit or tag: the question is whether the SEC has served the filing's facts at all.
facts as (
    select
        cik,
        accession,
        min(filed) as filed
    from {{ source('raw', 'filing_fact') }}
    where {{ known_by_as_of('known_at') }}
    group by cik, accession
),

first_facts as (
    select
        cik,
        min(filed) as facts_since,
        max(filed) as facts_until
    from facts
    group by cik
)

select
    l.cik,
    l.accession,
    l.form,
    l.filing_date,
    l.report_date,
    l.primary_document,
    f.accession is not null as has_facts,
    s.facts_since,
    s.facts_until,
    l.known_at,
    l.known_at_basis,
    l.payload_id
from listed as l
left join facts as f on l.cik = f.cik and l.accession = f.accession
left join first_facts as s on l.cik = s.cik
