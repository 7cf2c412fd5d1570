-- Every way in which the filings give a fiscal quarter, before one is chosen. All legs of a way are of one definition, one
-- basis, and reports of one fiscal year.
{% set leg = ['company_id', 'concept', 'definition_rank', 'is_recast', 'basis', 'report_year'] %}
with direct_facts as (
    select
        s.*,
        q.fiscal_year,
        q.fiscal_quarter
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on
            s.company_id = q.company_id
            and {{ is_near('s.period_start', 'q.quarter_start') }}
            and {{ is_near('s.period_end', 'q.quarter_end') }}
    where s.duration_days between 80 and 100
),

cumulative_facts as (
    -- From the first day of a fiscal year: that is what keeps trailing twelve months out. A transition period begins where
    -- the old fiscal year did.
    select
        s.*,
        q.fiscal_year,
        q.fiscal_quarter,
        {{ is_near('s.period_start', 'q.fiscal_year_start') }} as is_from_year_start
    from {{ ref('int_filing_periods__selected') }} as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on s.company_id = q.company_id and {{ is_near('s.period_end', 'q.quarter_end') }}
    where
        s.duration_days > 100
        and (
            {{ is_near('s.period_start', 'q.fiscal_year_start') }}
            or (s.form in ('10-KT', '10-KT/A', '10-QT', '10-QT/A') and s.duration_days < 350)
        )
),

differences as (
    select
        longer.company_id,
        longer.concept,
        longer.definition_rank,
        longer.is_recast,
        longer.basis,
        longer.report_year,
        longer.fiscal_year,
        longer.fiscal_quarter,
        cast(shorter.period_end + interval 1 day as date) as period_start,
        longer.period_end,
        longer.value_usd - shorter.value_usd as value_usd,
        longer.value_usd as longer_usd,
        longer.duration_days as longer_days,
        'difference' as method,
        longer.tag,
        longer.vintage,
        case when shorter.first_filed_basis is not null then longer.first_filed_basis end as first_filed_basis,
        longer.accession,
        longer.filed,
        longer.payload_id,
        shorter.accession as subtracted_accession,
        shorter.filed as subtracted_filed,
        shorter.payload_id as subtracted_payload_id,
        greatest(longer.known_at, shorter.known_at) as known_at
    from cumulative_facts as longer
    inner join {{ ref('int_filing_periods__selected') }} as shorter
        on
            longer.period_start = shorter.period_start
            {% for column in leg %}
                and longer.{{ column }} = shorter.{{ column }}
            {% endfor %}
    where longer.duration_days - shorter.duration_days between 80 and 100
),

remainders as (
    -- A cumulative fact less every other quarter in it, each filed as such: half a year less its second quarter.
    select
        c.company_id,
        c.concept,
        c.definition_rank,
        c.is_recast,
        c.basis,
        c.report_year,
        q.fiscal_year,
        q.fiscal_quarter,
        q.quarter_start as period_start,
        q.quarter_end as period_end,
        c.value_usd - sum(d.value_usd) as value_usd,
        c.value_usd as longer_usd,
        c.duration_days as longer_days,
        'remainder' as method,
        c.tag,
        c.vintage,
        case when min(d.wave) = 0 and max(d.wave) = 0 then c.first_filed_basis end as first_filed_basis,
        c.accession,
        c.filed,
        c.payload_id,
        {{ dbt.listagg("d.accession", "'; '", "order by d.fiscal_quarter") }} as subtracted_accession,
        max(d.filed) as subtracted_filed,
        max(d.payload_id) as subtracted_payload_id,
        greatest(c.known_at, max(d.known_at)) as known_at
    from cumulative_facts as c
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on c.company_id = q.company_id and c.fiscal_year = q.fiscal_year and c.fiscal_quarter >= q.fiscal_quarter
    inner join direct_facts as d
        on
            c.fiscal_year = d.fiscal_year
            and c.fiscal_quarter >= d.fiscal_quarter
            and q.fiscal_quarter <> d.fiscal_quarter
            {% for column in leg %}
                and c.{{ column }} = d.{{ column }}
            {% endfor %}
    where c.is_from_year_start
    group by
        c.company_id, c.concept, c.definition_rank, c.is_recast, c.basis, c.report_year, q.fiscal_year, q.fiscal_quarter,
        q.quarter_start, q.quarter_end, c.fiscal_quarter, c.value_usd, c.duration_days, c.tag, c.vintage, c.first_filed_basis,
        c.accession, c.filed, c.payload_id, c.known_at
    having count(*) = c.fiscal_quarter - 1 and count(distinct d.fiscal_quarter) = c.fiscal_quarter - 1
),

derived as (
    select * from differences
    union all
    select * from remainders
),

confirmed as (
    -- Direct facts that a difference or remainder of the same basis comes to as well.
    select distinct
        d.company_id,
        d.concept,
        d.definition_rank,
        d.is_recast,
        d.basis,
        d.report_year,
        d.period_start,
        d.period_end
    from direct_facts as d
    inner join derived as o
        on
            d.fiscal_year = o.fiscal_year
            and d.fiscal_quarter = o.fiscal_quarter
            {% for column in leg %}
                and d.{{ column }} = o.{{ column }}
            {% endfor %}
    -- Each leg is rounded on its own, so the difference is looser than an amount that is filed twice.
    where abs(d.value_usd - o.value_usd) <= 0.01 * abs(d.value_usd)
),

totals as (
    -- What a direct fact is held against, whatever the definition: the figures to the same day, and of nine months.
    select
        d.company_id,
        d.concept,
        d.accession,
        d.period_start,
        d.period_end,
        d.tag,
        max(
            case
                when c.fiscal_quarter = d.fiscal_quarter and {{ is_same_amount('c.value_usd', 'd.value_usd') }} then 1 else 0
            end
        ) as equals_total,
        max(case when c.fiscal_quarter = 3 and c.value_usd * d.value_usd > 0 then abs(c.value_usd) end) as nine_months_usd
    from direct_facts as d
    inner join cumulative_facts as c
        on
            d.company_id = c.company_id
            and d.concept = c.concept
            and d.fiscal_year = c.fiscal_year
            and c.is_from_year_start
    group by d.company_id, d.concept, d.accession, d.period_start, d.period_end, d.tag
),

judged_direct as (
    select
        d.*,
        case
            when d.value_usd = 0 then null
            when t.equals_total = 1 then 'the three-month fact equals the cumulative fact to the same day'
            when f.company_id is null and abs(d.value_usd) > t.nine_months_usd
                then 'the three-month fact is above nine months of its year'
        end as refusal
    from direct_facts as d
    left join totals as t
        on
            d.company_id = t.company_id
            and d.concept = t.concept
            and d.accession = t.accession
            and d.period_start = t.period_start
            and d.period_end = t.period_end
            and d.tag = t.tag
    left join confirmed as f
        on
            d.period_start = f.period_start
            and d.period_end = f.period_end
            {% for column in leg %}
                and d.{{ column }} = f.{{ column }}
            {% endfor %}
)

{% set columns = leg + ['fiscal_year', 'fiscal_quarter', 'period_start', 'period_end', 'value_usd'] %}
select
    {{ columns | join(',\n    ') }},
    'direct' as method,
    tag,
    vintage,
    first_filed_basis,
    accession,
    filed,
    payload_id,
    cast(null as string) as subtracted_accession,
    cast(null as date) as subtracted_filed,
    cast(null as string) as subtracted_payload_id,
    known_at,
    refusal
from judged_direct

union all

select
    {{ columns | join(',\n    ') }},
    method,
    tag,
    vintage,
    first_filed_basis,
    accession,
    filed,
    payload_id,
    subtracted_accession,
    subtracted_filed,
    subtracted_payload_id,
    known_at,
    -- Two equal cumulative facts mean that one of them is wrong, not that nothing was spent; nor is a hundredth of the pace.
    case
        when value_usd = 0 then 'the two cumulative facts are equal'
        when {{ is_one_way('concept') }} and value_usd < 0 then 'the longer cumulative fact is smaller than the shorter one'
        when {{ is_one_way('concept') }} and value_usd * longer_days < 0.01 * 91 * longer_usd
            then 'the two cumulative facts are all but equal'
    end as refusal
from derived
