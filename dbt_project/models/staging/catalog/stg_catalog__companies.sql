select
    company_id,
    name,
    role,
    fiscal_year_end,
    filing_lag_days,
    description
from {{ source('raw', 'catalog_company') }}
