-- The figure of each fiscal quarter, and where it comes from.
with of_basis as (
    select
        *,
        min(known_at) over (partition by company_id, concept, fiscal_year, fiscal_quarter) as first_known_at
    from {{ ref('int_filing_quarters__by_basis') }}
),

chosen as (
    select *
    from of_basis
    where basis >= 0
    -- The newest reports that have every leg: a filer that changes its tag speaks in the new one of the year before too. Then
    -- the preferred definition, and what was restated last.
    qualify
        row_number() over (
            partition by company_id, concept, fiscal_year, fiscal_quarter
            order by is_recast asc, vintage desc, definition_rank asc, basis desc
        ) = 1
)

select
    company_id,
    concept,
    fiscal_year,
    fiscal_quarter,
    quarter_index,
    period_start,
    period_end,
    {{ calendar_quarter_of('period_start', 'period_end') }} as calendar_quarter,
    value_usd,
    method,
    tag,
    definition_rank,
    basis,
    vintage,
    is_recast,
    accession,
    filed,
    payload_id,
    subtracted_accession,
    subtracted_filed,
    subtracted_payload_id,
    first_known_at,
    known_at
from chosen
