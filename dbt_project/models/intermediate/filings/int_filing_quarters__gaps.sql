-- Fiscal quarters inside the span of the known facts that cannot be derived, each with its reason.
with spans as (
    select
        company_id,
        concept,
        min(period_start) as first_day,
        max(period_end) as last_day_known
    from {{ ref('int_filing_facts__judged') }}
    group by company_id, concept
),

missing_quarters as (
    select
        s.company_id,
        s.concept,
        q.fiscal_year,
        q.fiscal_quarter,
        q.quarter_index,
        q.fiscal_year_start,
        q.quarter_start,
        q.quarter_end,
        q.calendar_quarter
    from spans as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on
            s.company_id = q.company_id
            and (s.first_day <= q.quarter_start or {{ is_near('q.quarter_start', 's.first_day') }})
            and (s.last_day_known >= q.quarter_end or {{ is_near('q.quarter_end', 's.last_day_known') }})
    left join {{ ref('int_filing_quarters__discrete') }} as d
        on s.company_id = d.company_id and s.concept = d.concept and q.quarter_index = d.quarter_index
    where d.company_id is null
),

refusals as (
    select
        company_id,
        concept,
        4 * fiscal_year + fiscal_quarter as quarter_index,
        min(refusal) as refusal
    from {{ ref('int_filing_quarters__candidates') }}
    where refusal is not null
    group by company_id, concept, 4 * fiscal_year + fiscal_quarter
),

withheld as (
    -- Facts that would have been a leg of the quarter: its own three months, or what ends with it, or with the one before.
    select
        m.company_id,
        m.concept,
        m.quarter_index,
        case when j.duration_days <= 100 then 'the three-month fact' else 'the cumulative fact' end
        || ' to ' || cast(j.period_end as string) || ' is withheld: ' || j.refusal as reason
    from missing_quarters as m
    inner join {{ ref('int_filing_facts__judged') }} as j
        on
            m.company_id = j.company_id
            and m.concept = j.concept
            and j.duration_days < 378
            and (
                {{ is_near('j.period_end', 'm.quarter_end') }}
                or ({{ is_near('j.period_end', 'm.quarter_start') }} and {{ is_near('j.period_start', 'm.fiscal_year_start') }})
            )
    where j.refusal is not null
    qualify
        row_number() over (
            partition by m.company_id, m.concept, m.quarter_index
            order by j.period_end desc, j.duration_days asc, j.filed desc, j.tag_rank asc
        ) = 1
),

cumulative_ends as (
    select distinct
        s.company_id,
        s.concept,
        q.quarter_index
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on
            s.company_id = q.company_id
            and {{ is_near('s.period_start', 'q.fiscal_year_start') }}
            and {{ is_near('s.period_end', 'q.quarter_end') }}
)

select
    m.company_id,
    m.concept,
    m.fiscal_year,
    m.fiscal_quarter,
    m.quarter_index,
    m.quarter_start,
    m.quarter_end,
    m.calendar_quarter,
    case
        when w.reason is not null then w.reason
        when r.refusal is not null then r.refusal
        when m.fiscal_quarter = 1 then 'no three-month fact'
        when longer.quarter_index is not null and shorter.quarter_index is not null
            then 'no three-month fact, and the cumulative facts share no start, definition and basis'
        when longer.quarter_index is not null
            then 'no three-month fact, and no cumulative fact to the end of the quarter before'
        when shorter.quarter_index is not null
            then 'no three-month fact, and no cumulative fact to the end of this quarter'
        else 'no three-month fact and no cumulative fact to the end of this quarter or the one before'
    end as gap_reason
from missing_quarters as m
left join withheld as w
    on m.company_id = w.company_id and m.concept = w.concept and m.quarter_index = w.quarter_index
left join refusals as r
    on m.company_id = r.company_id and m.concept = r.concept and m.quarter_index = r.quarter_index
left join cumulative_ends as longer
    on m.company_id = longer.company_id and m.concept = longer.concept and m.quarter_index = longer.quarter_index
left join cumulative_ends as shorter
    on m.company_id = shorter.company_id and m.concept = shorter.concept and m.quarter_index - 1 = shorter.quarter_index
