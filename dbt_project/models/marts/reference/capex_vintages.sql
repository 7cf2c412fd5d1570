-- A quarter may be stated by the reports of its own fiscal year, again as a comparative a year or two later, and in amendments.
-- All legs of a derived quarter are of reports of one fiscal year, so its vintage is known with the last of them. Of the tags that
-- one year's reports use, the preferred definition counts; driver_ai_capex shows the newest vintage.
-- Which facts count is judged with all that was known by the as-of date: a fact that is withheld today has no vintage.
{% set quarter = 'company_id, fiscal_year, fiscal_quarter' %}
with stated as (
    select *
    from {{ ref('int_filing_quarters__candidates') }}
    where concept = 'capex' and refusal is null
    qualify definition_rank = min(definition_rank) over (partition by {{ quarter }}, report_year, is_recast)
),

vintages as (
    select *
    from stated
    -- As in int_filing_quarters__by_basis: a direct fact before what is derived.
    qualify
        row_number() over (
            partition by {{ quarter }}, report_year, is_recast, basis
            order by
                case method when 'direct' then 0 when 'difference' then 1 else 2 end,
                filed desc,
                period_start asc,
                period_end asc
        ) = 1
),

numbered as (
    select
        *,
        row_number() over (partition by {{ quarter }} order by known_at, report_year, is_recast, basis) as vintage_number,
        lag(value_usd) over (partition by {{ quarter }} order by known_at, report_year, is_recast, basis) as capex_before_usd
    from vintages
)

select
    company_id,
    fiscal_year,
    fiscal_quarter,
    cast(vintage_number as integer) as vintage_number,
    {{ calendar_quarter_of('period_start', 'period_end') }} as calendar_quarter,
    period_start as fiscal_quarter_start,
    period_end as fiscal_quarter_end,
    report_year as report_fiscal_year,
    cast(value_usd as double) as capex_usd,
    cast(capex_before_usd as double) as capex_before_usd,
    cast(value_usd - capex_before_usd as double) as revision_usd,
    cast(100.0 * (value_usd / capex_before_usd - 1) as double) as revision_pct,
    -- Rounding from thousands to millions is no revision.
    coalesce(not {{ is_same_amount('value_usd', 'capex_before_usd') }}, false) as is_revised,
    is_recast,
    method,
    tag,
    case
        when subtracted_accession is null or subtracted_accession = accession then accession
        else accession || '; ' || subtracted_accession
    end as accession_numbers,
    filed,
    cast(known_at as timestamp) as known_at
from numbered
