-- Periodic reports that the index lists and whose facts the SEC has not served yet: pending, never "no change".
with companies as (
    select distinct
        company_id,
        cik,
        valid_from,
        valid_to
    from {{ ref('stg_catalog__company_tags') }}
)

select
    c.company_id,
    f.cik,
    f.accession,
    f.form,
    f.filing_date,
    f.report_date,
    f.primary_document,
    f.facts_until,
    {{ dbt.datediff('f.filing_date', as_of_date(), 'day') }} as days_pending,
    f.known_at,
    f.payload_id
from {{ ref('stg_sec_edgar__filings') }} as f
inner join companies as c
    on
        f.cik = c.cik
        and (c.valid_from is null or f.filing_date >= c.valid_from)
        and (c.valid_to is null or f.filing_date <= c.valid_to)
where
    not f.has_facts
    -- An amendment may hold no statements (a 10-K/A of part III), so its absence says nothing.
    and f.form in ('10-K', '10-KT', '10-Q', '10-QT', '20-F', '40-F')
    -- Reports from before tagging began have no facts, and after a year the next report's comparatives stand in.
    and f.filing_date >= cast({{ dbt.dateadd('day', -400, as_of_date()) }} as date)
    and (f.facts_since is null or f.filing_date >= f.facts_since)
