-- Every fiscal period covered by the filings of the aluminium and lithium producers, with what is missing and why.
{% set measures = ['capex', 'depreciation', 'revenue', 'income'] %}
with producers as (
    select
        company_id,
        role as sector
    from {{ ref('stg_catalog__companies') }}
    where role in ('aluminium', 'lithium')
),

-- One measure of income per company, and never two in one history: before tax only where there is no operating line.
concepts as (
    select
        company_id,
        max(case when concept = 'capex' then concept end) as capex_concept,
        max(case when concept = 'depreciation' then concept end) as depreciation_concept,
        max(case when concept = 'revenue' then concept end) as revenue_concept,
        coalesce(
            max(case when concept = 'operating_income' then concept end),
            max(case when concept = 'income_before_tax' then concept end)
        ) as income_concept
    from {{ ref('stg_catalog__company_tags') }}
    group by company_id
),

figures as (
    select
        p.sector,
        c.income_concept,
        y.company_id,
        y.concept,
        y.fiscal_year,
        y.fiscal_quarter,
        y.quarter_index,
        y.period_start,
        y.period_end,
        y.value_ttm_usd as value_usd,
        y.accession_numbers,
        y.known_at
    from {{ ref('int_filing_quarters__trailing') }} as y
    inner join producers as p on y.company_id = p.company_id
    inner join concepts as c on y.company_id = c.company_id
    where y.concept in ('capex', 'depreciation', 'revenue', c.income_concept)
),

quarterly_filers as (
    select distinct company_id from {{ ref('int_filing_quarters__discrete') }}
),

spans as (
    select
        f.company_id,
        min(f.quarter_index) as first_index,
        max(f.quarter_index) as last_index,
        max(q.company_id) is null as files_years_only
    from figures as f
    left join quarterly_filers as q on f.company_id = q.company_id
    group by f.company_id
),

pivoted as (
    select
        company_id,
        quarter_index,
        max(case when concept = 'capex' then value_usd end) as capex_usd,
        max(case when concept = 'depreciation' then value_usd end) as depreciation_usd,
        max(case when concept = 'revenue' then value_usd end) as revenue_usd,
        max(case when concept = income_concept then value_usd end) as income_usd,
        min(period_start) as period_start,
        max(period_end) as period_end,
        max(known_at) as known_at
    from figures
    group by company_id, quarter_index
),

accessions as (
    select
        company_id,
        quarter_index,
        string_agg(distinct accession, '; ' order by accession) as accession_numbers
    from (
        select
            company_id,
            quarter_index,
            unnest(string_split(accession_numbers, '; ')) as accession
        from figures
    ) as split
    group by company_id, quarter_index
)

select
    p.sector,
    s.company_id,
    cast(q.fiscal_year as integer) as fiscal_year,
    cast(q.fiscal_quarter as integer) as fiscal_quarter,
    q.quarter_index,
    q.calendar_quarter,
    case when s.files_years_only then 'year' else 'four_quarters' end as reporting,
    coalesce(v.period_start, cast(q.quarter_end + interval 1 day - interval 1 year as date)) as period_start,
    coalesce(v.period_end, q.quarter_end) as period_end,
    v.capex_usd,
    v.depreciation_usd,
    v.revenue_usd,
    v.income_usd,
    c.income_concept as margin_concept,
    {% for measure in measures %}
        case
            when v.{{ measure }}_usd is not null then null
            when c.{{ measure }}_concept is null then 'no {{ measure }}: the company states none'
            else 'no {{ measure }}: ' || coalesce({{ measure }}_gap.gap_reason, 'not twelve months of it in the filings known')
        end as {{ measure }}_missing,
    {% endfor %}
    a.accession_numbers,
    v.known_at
from spans as s
inner join producers as p on s.company_id = p.company_id
inner join concepts as c on s.company_id = c.company_id
inner join {{ ref('int_filing_calendar__quarters') }} as q
    on
        s.company_id = q.company_id
        and s.first_index <= q.quarter_index
        and s.last_index >= q.quarter_index
        and (q.fiscal_quarter = 4 or not s.files_years_only)
left join pivoted as v on s.company_id = v.company_id and q.quarter_index = v.quarter_index
left join accessions as a on s.company_id = a.company_id and q.quarter_index = a.quarter_index
{% for measure in measures %}
    left join {{ ref('int_filing_quarters__trailing_gaps') }} as {{ measure }}_gap
        on
            s.company_id = {{ measure }}_gap.company_id
            and q.quarter_index = {{ measure }}_gap.quarter_index
            and c.{{ measure }}_concept = {{ measure }}_gap.concept
{% endfor %}
