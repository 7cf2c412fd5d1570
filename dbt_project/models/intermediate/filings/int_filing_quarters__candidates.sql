-- Every way in which the filings give a fiscal quarter, before one is chosen.
with direct_facts as (
    select
        s.company_id,
        s.concept,
        q.fiscal_year,
        q.fiscal_quarter,
        s.period_start,
        s.period_end,
        s.value_usd,
        'direct' as method,
        s.tag,
        s.tag_rank,
        s.vintage,
        s.is_recast,
        s.accession,
        s.filed,
        s.payload_id,
        cast(null as string) as subtracted_accession,
        cast(null as date) as subtracted_filed,
        cast(null as string) as subtracted_payload_id,
        s.known_at
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on
            s.company_id = q.company_id
            and {{ is_near('s.period_start', 'q.quarter_start') }}
            and {{ is_near('s.period_end', 'q.quarter_end') }}
    where s.duration_days between 80 and 100
),

cumulative_facts as (
    -- From the first day of a fiscal year only: that is what keeps trailing twelve months out.
    select
        s.*,
        q.fiscal_year,
        q.fiscal_quarter
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on
            s.company_id = q.company_id
            and {{ is_near('s.period_start', 'q.fiscal_year_start') }}
            and {{ is_near('s.period_end', 'q.quarter_end') }}
    where q.fiscal_quarter > 1
),

differences as (
    -- Same start, same tag, same vintage: two figures of one definition on one basis.
    select
        longer.company_id,
        longer.concept,
        longer.fiscal_year,
        longer.fiscal_quarter,
        cast(shorter.period_end + interval 1 day as date) as period_start,
        longer.period_end,
        longer.value_usd - shorter.value_usd as value_usd,
        'difference' as method,
        longer.tag,
        longer.tag_rank,
        longer.vintage,
        longer.is_recast,
        longer.accession,
        longer.filed,
        longer.payload_id,
        shorter.accession as subtracted_accession,
        shorter.filed as subtracted_filed,
        shorter.payload_id as subtracted_payload_id,
        greatest(longer.known_at, shorter.known_at) as known_at
    from cumulative_facts as longer
    inner join {{ ref('int_filing_periods__by_tag') }} as shorter
        on
            longer.company_id = shorter.company_id
            and longer.concept = shorter.concept
            and longer.tag = shorter.tag
            and longer.vintage = shorter.vintage
            and longer.is_recast = shorter.is_recast
            and longer.period_start = shorter.period_start
    where longer.duration_days - shorter.duration_days between 80 and 100
),

candidates as (
    select * from direct_facts
    union all
    select * from differences
)

select
    *,
    -- Two equal cumulative facts mean that one of them is wrong, not that nothing was spent;
    -- and neither purchases nor sales of a quarter are negative.
    case
        when method = 'difference' and value_usd = 0 then 'the two cumulative facts are equal'
        when method = 'difference' and value_usd < 0 and concept in ('capex', 'revenue')
            then 'the longer cumulative fact is smaller than the shorter one'
    end as refusal
from candidates
