-- Twelve months of each concept at each fiscal quarter: the year as filed where a fiscal year ends, else the sum of four
-- discrete quarters. A company that files years alone (20-F, 40-F) has one figure a year and nothing in between.
with year_facts as (
    select
        s.company_id,
        s.concept,
        q.fiscal_year,
        q.fiscal_quarter,
        q.quarter_index,
        q.calendar_quarter,
        s.period_start,
        s.period_end,
        s.value_usd,
        'year' as basis,
        s.accession as accession_numbers,
        s.known_at
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on
            s.company_id = q.company_id
            and {{ is_near('s.period_start', 'q.fiscal_year_start') }}
            and {{ is_near('s.period_end', 'q.quarter_end') }}
    where q.fiscal_quarter = 4
    -- As for quarters: the preferred tag, on the newest basis.
    qualify
        row_number() over (
            partition by s.company_id, s.concept, q.quarter_index
            order by s.is_recast asc, s.tag_rank asc, s.vintage desc, s.filed desc, s.period_start asc, s.period_end asc
        ) = 1
),

quarter_sums as (
    select
        newest.company_id,
        newest.concept,
        newest.fiscal_year,
        newest.fiscal_quarter,
        newest.quarter_index,
        min(each.period_start) as period_start,
        max(each.period_end) as period_end,
        sum(each.value_usd) as value_usd,
        max(each.known_at) as known_at
    from {{ ref('int_filing_quarters__discrete') }} as newest
    inner join {{ ref('int_filing_quarters__discrete') }} as each
        on
            newest.company_id = each.company_id
            and newest.concept = each.concept
            and newest.quarter_index >= each.quarter_index
            and newest.quarter_index - 3 <= each.quarter_index
    group by newest.company_id, newest.concept, newest.fiscal_year, newest.fiscal_quarter, newest.quarter_index
    having count(*) = 4
),

legs as (
    select
        company_id,
        concept,
        quarter_index,
        accession
    from {{ ref('int_filing_quarters__discrete') }}
    union
    select
        company_id,
        concept,
        quarter_index,
        subtracted_accession as accession
    from {{ ref('int_filing_quarters__discrete') }}
    where subtracted_accession is not null
),

sums as (
    select
        s.company_id,
        s.concept,
        s.fiscal_year,
        s.fiscal_quarter,
        s.quarter_index,
        q.calendar_quarter,
        s.period_start,
        s.period_end,
        s.value_usd,
        'four_quarters' as basis,
        string_agg(distinct l.accession, '; ' order by l.accession) as accession_numbers,
        s.known_at
    from quarter_sums as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on s.company_id = q.company_id and s.quarter_index = q.quarter_index
    inner join legs as l
        on
            s.company_id = l.company_id
            and s.concept = l.concept
            and s.quarter_index >= l.quarter_index
            and s.quarter_index - 3 <= l.quarter_index
    group by all
),

either as (
    select * from year_facts
    union all
    select * from sums
)

select *
from either
qualify
    row_number() over (
        partition by company_id, concept, quarter_index order by case when basis = 'year' then 0 else 1 end
    ) = 1
