-- The figure of each fiscal quarter, and where it comes from.
with usable as (
    select
        *,
        min(known_at) over (partition by company_id, concept, fiscal_year, fiscal_quarter) as first_known_at
    from {{ ref('int_filing_quarters__candidates') }}
    where refusal is null
),

chosen as (
    select *
    from usable
    -- The preferred tag before a direct fact of another one (they differ in definition), then a direct fact before a
    -- difference (its rounding is its own), then the newest basis that has every leg.
    qualify
        row_number() over (
            partition by company_id, concept, fiscal_year, fiscal_quarter
            order by
                is_recast asc,
                tag_rank asc,
                case when method = 'direct' then 0 else 1 end,
                vintage desc,
                filed desc,
                period_start asc,
                period_end asc
        ) = 1
)

select
    company_id,
    concept,
    fiscal_year,
    fiscal_quarter,
    4 * fiscal_year + fiscal_quarter as quarter_index,
    period_start,
    period_end,
    {{ calendar_quarter_of('period_start', 'period_end') }} as calendar_quarter,
    value_usd,
    method,
    tag,
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
