-- Trailing twelve months at the end of each fiscal quarter: the sum of four quarters, or where one of them is not known a
-- figure that was filed for the twelve months as such (fiscal years, and the trailing years that some companies tag).
with quarters as (
    select
        *,
        case
            when subtracted_accession is null or subtracted_accession = accession then accession
            else accession || '; ' || subtracted_accession
        end as accession_numbers
    from {{ ref('int_filing_quarters__discrete') }}
),

summed as (
    select
        newest.company_id,
        newest.concept,
        newest.fiscal_year,
        newest.fiscal_quarter,
        newest.quarter_index,
        newest.period_end,
        newest.calendar_quarter,
        sum(q.value_usd) as value_ttm_usd,
        {{ dbt.listagg("q.accession_numbers", "'; '", "order by q.quarter_index") }} as accession_numbers,
        max(q.known_at) as known_at
    from quarters as newest
    inner join quarters as q
        on
            newest.company_id = q.company_id
            and newest.concept = q.concept
            and q.quarter_index between newest.quarter_index - 3 and newest.quarter_index
    group by
        newest.company_id, newest.concept, newest.fiscal_year, newest.fiscal_quarter, newest.quarter_index, newest.period_end,
        newest.calendar_quarter
    having count(*) = 4
),

filed as (
    select
        s.company_id,
        s.concept,
        c.fiscal_year,
        c.fiscal_quarter,
        c.quarter_index,
        s.period_end,
        c.calendar_quarter,
        s.value_usd as value_ttm_usd,
        s.accession as accession_numbers,
        s.known_at
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as c
        on s.company_id = c.company_id and {{ is_near('s.period_end', 'c.quarter_end') }}
    -- A year of 52 or 53 weeks has 364 or 371 days.
    where s.duration_days between 357 and 378
    qualify
        row_number() over (
            partition by s.company_id, s.concept, c.quarter_index
            order by s.is_recast asc, s.tag_rank asc, s.vintage desc, s.filed desc, s.period_start asc, s.period_end asc
        ) = 1
)

select
    company_id,
    concept,
    fiscal_year,
    fiscal_quarter,
    quarter_index,
    period_end,
    calendar_quarter,
    value_ttm_usd,
    'four quarters' as method,
    accession_numbers,
    known_at
from summed

union all

select
    f.company_id,
    f.concept,
    f.fiscal_year,
    f.fiscal_quarter,
    f.quarter_index,
    f.period_end,
    f.calendar_quarter,
    f.value_ttm_usd,
    'filed twelve months' as method,
    f.accession_numbers,
    f.known_at
from filed as f
left join summed as s on f.company_id = s.company_id and f.concept = s.concept and f.quarter_index = s.quarter_index
where s.company_id is null
