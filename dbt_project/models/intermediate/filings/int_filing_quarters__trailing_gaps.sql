-- Fiscal quarters whose last twelve months are not known, and why: a fact of them is withheld, a quarter is not known, or the
-- four quarters are of several bases or definitions.
with quarters as (
    select
        company_id,
        concept,
        quarter_index,
        cast(null as string) as gap_reason
    from {{ ref('int_filing_quarters__discrete') }}
    union all
    select
        company_id,
        concept,
        quarter_index,
        gap_reason
    from {{ ref('int_filing_quarters__gaps') }}
),

last_four as (
    select
        newest.company_id,
        newest.concept,
        newest.quarter_index,
        sum(case when q.gap_reason is null then 1 else 0 end) as quarters_known,
        max(case when q.gap_reason like '% is withheld: %' then q.gap_reason end) as withheld
    from quarters as newest
    inner join quarters as q
        on
            newest.company_id = q.company_id
            and newest.concept = q.concept
            and q.quarter_index between newest.quarter_index - 3 and newest.quarter_index
    group by newest.company_id, newest.concept, newest.quarter_index
)

select
    f.company_id,
    f.concept,
    f.quarter_index,
    case
        when f.withheld is not null then f.withheld
        when f.quarters_known = 4 then 'the four quarters are of no single basis and definition'
        else 'not all of the last four quarters are known'
    end as gap_reason
from last_four as f
left join {{ ref('int_filing_quarters__trailing') }} as t
    on f.company_id = t.company_id and f.concept = t.concept and f.quarter_index = t.quarter_index
where t.company_id is null
