-- A company may file under another CIK after a reorganisation: the one valid on the as-of date is shown.
with current_cik as (
    select
        company_id,
        max(cik) as cik
    from {{ ref('stg_catalog__company_tags') }}
    where
        (valid_from is null or valid_from <= {{ as_of_date() }})
        and (valid_to is null or valid_to >= {{ as_of_date() }})
    group by company_id
)

select
    c.company_id,
    c.name,
    c.role,
    k.cik,
    c.fiscal_year_end,
    c.filing_lag_days,
    c.description,
    c.defined_in
from {{ ref('stg_catalog__companies') }} as c
left join current_cik as k on c.company_id = k.company_id
