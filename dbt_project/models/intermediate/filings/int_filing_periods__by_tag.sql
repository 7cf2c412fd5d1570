-- What each catalogued tag says of each period in each edition of the figures. An edition is the reports of one fiscal year
-- (they carry the year before as comparatives), or the amendments of them that were filed together.
{% set days_between_waves = 60 %}
with reports as (
    -- What a filing reports on ends with its last period, also where the fact of it is withheld.
    select
        *,
        max(period_end) over (partition by company_id, accession) as report_end
    from {{ ref('int_filing_facts__judged') }}
),

usable as (
    select * from reports
    where refusal is null
),

fiscal_years as (
    -- The dates that belong to a fiscal year are from ten days after its nominal start to ten days after its nominal end.
    select
        company_id,
        fiscal_year,
        cast({{ dbt.dateadd('day', 10, 'fiscal_year_start') }} as date) as first_end,
        cast({{ dbt.dateadd('day', 10, 'quarter_end') }} as date) as last_end
    from {{ ref('int_filing_calendar__quarters') }}
    where fiscal_quarter = 4
),

dated as (
    -- Fiscal years of the report and of the period.
    select
        u.*,
        r.fiscal_year as report_year,
        r.fiscal_year - p.fiscal_year as vintage
    from usable as u
    inner join fiscal_years as r
        on u.company_id = r.company_id and u.report_end between r.first_end and r.last_end
    inner join fiscal_years as p
        on u.company_id = p.company_id and u.period_end between p.first_end and p.last_end
),

amendments as (
    select
        company_id,
        report_year,
        filed,
        lag(filed) over (partition by company_id, report_year order by filed) as filed_before
    from (
        select distinct
            company_id,
            report_year,
            filed
        from dated
        where form like '%/A'
    ) as filings
),

waves as (
    -- A restatement comes as a 10-K/A and 10-Q/As within weeks of each other; one filed later restates on its own.
    select
        company_id,
        report_year,
        filed,
        sum(
            case
                when
                    filed_before is null
                    or {{ dbt.datediff('filed_before', 'filed', 'day') }} > {{ days_between_waves }}
                    then 1
                else 0
            end
        ) over (partition by company_id, report_year order by filed) as wave
    from amendments
)

select
    d.company_id,
    d.concept,
    d.tag,
    d.tag_rank,
    d.period_start,
    d.period_end,
    d.duration_days,
    d.report_year,
    d.vintage,
    cast(coalesce(w.wave, 0) as integer) as wave,
    d.is_recast,
    d.value_usd,
    d.accession,
    d.form,
    d.filed,
    d.known_at,
    d.payload_id
from dated as d
left join waves as w
    on d.form like '%/A' and d.company_id = w.company_id and d.report_year = w.report_year and d.filed = w.filed
-- Within an edition the latest filing stands.
qualify
    row_number() over (
        partition by d.company_id, d.concept, d.tag, d.period_start, d.period_end, d.report_year, coalesce(w.wave, 0), d.is_recast
        order by d.filed desc, d.accession desc, d.known_at desc, d.payload_id desc
    ) = 1
