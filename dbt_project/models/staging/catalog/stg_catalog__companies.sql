select
    company_id,
    name,
    role,
    fiscal_year_end,
    filing_lag_days,
    description,
    coalesce(defined_in, 'project') as defined_in
from {{ source('raw', 'catalog_company') }}
