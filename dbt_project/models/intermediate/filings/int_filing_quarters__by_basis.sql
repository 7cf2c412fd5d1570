-- The figure of each fiscal quarter on each definition and basis; as first filed (a negative basis) beside as restated.
{% set columns = [
    'company_id', 'concept', 'definition_rank', 'is_recast', 'fiscal_year', 'fiscal_quarter', 'period_start', 'period_end',
    'value_usd', 'method', 'tag', 'report_year', 'vintage', 'accession', 'filed', 'payload_id', 'subtracted_accession',
    'subtracted_filed', 'subtracted_payload_id', 'known_at'
] %}
with usable as (
    select
        {{ columns | join(', ') }},
        basis
    from {{ ref('int_filing_quarters__candidates') }}
    where refusal is null
    union all
    select
        {{ columns | join(', ') }},
        first_filed_basis as basis
    from {{ ref('int_filing_quarters__candidates') }}
    where refusal is null and first_filed_basis is not null
)

select
    *,
    4 * fiscal_year + fiscal_quarter as quarter_index
from usable
-- The newest reports, then a direct fact (its rounding is its own) before what is derived.
qualify
    row_number() over (
        partition by company_id, concept, definition_rank, is_recast, basis, fiscal_year, fiscal_quarter
        order by
            report_year desc,
            case method when 'direct' then 0 when 'difference' then 1 else 2 end,
            filed desc,
            period_start asc,
            period_end asc
    ) = 1
