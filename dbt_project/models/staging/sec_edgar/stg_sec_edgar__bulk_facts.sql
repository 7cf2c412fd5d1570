select
    cik,
    taxonomy,
    tag,
    unit,
    period_start,
    period_end,
    value,
    accession,
    form,
    filed,
    fiscal_year,
    fiscal_period,
    known_at,
    known_at_basis,
    payload_id
from {{ source('raw', 'bulk_filing_fact') }}
