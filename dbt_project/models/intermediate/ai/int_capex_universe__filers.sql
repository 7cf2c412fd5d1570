-- Annual capital expenditure of every filer in the SEC's bulk file, by the definition used everywhere: cash purchases.
-- A figure is judged as those of the catalogued companies are (int_filing_facts__judged), against the filer's other years.
{% set years_compared = 2 %}
with annual_facts as (
    -- Annual reports only, also of transition periods: their comparatives are years, while 10-Qs of some companies tag trailing
    -- twelve months.
    select
        f.cik,
        f.period_start,
        f.period_end,
        cast(extract(year from {{ calendar_quarter_of('f.period_start', 'f.period_end') }}) as integer) as calendar_year,
        f.value as capex_usd,
        {{ log_daily('f.value', dbt.datediff('f.period_start', 'f.period_end', 'day')) }} as log_daily_usd,
        f.tag,
        t.tag_rank,
        f.accession,
        f.filed,
        f.known_at,
        f.payload_id
    from {{ ref('stg_sec_edgar__bulk_facts') }} as f
    inner join {{ ref('capex_tags') }} as t on f.taxonomy = t.taxonomy and f.tag = t.tag
    where
        {{ known_by_as_of('f.known_at') }}
        and f.unit = 'USD'
        and f.form in ('10-K', '10-K/A', '10-KT', '10-KT/A', '20-F', '20-F/A', '40-F', '40-F/A')
        and {{ dbt.datediff('f.period_start', 'f.period_end', 'day') }} between 349 and 379
),

neighbours as (
    select
        f.cik,
        f.tag,
        f.period_start,
        f.period_end,
        f.accession,
        median(case when o.accession <> f.accession and o.period_end < f.period_end then o.log_daily_usd end) as log_before,
        median(case when o.accession <> f.accession and o.period_end > f.period_end then o.log_daily_usd end) as log_after,
        median(case when o.accession = f.accession then o.log_daily_usd end) as log_same_filing
    from annual_facts as f
    inner join annual_facts as o
        on
            f.cik = o.cik
            and f.calendar_year <> o.calendar_year
            and o.calendar_year between f.calendar_year - {{ years_compared }} and f.calendar_year + {{ years_compared }}
    where o.log_daily_usd is not null
    group by f.cik, f.tag, f.period_start, f.period_end, f.accession
),

judged as (
    select
        f.*,
        case
            when f.capex_usd < 0 then 'purchases are not negative'
            when {{ is_off_scale('f.log_daily_usd', 'n.log_before', 'n.log_after', 'true') }}
                then 'more than fifty times off the years before and after it'
            when
                n.log_before is null
                and n.log_after is null
                and {{ is_off_scale('f.log_daily_usd', 'n.log_same_filing', 'n.log_same_filing', 'true') }}
                then 'more than fifty times off the other years in the same filing'
        end as refusal
    from annual_facts as f
    left join neighbours as n
        on
            f.cik = n.cik
            and f.tag = n.tag
            and f.period_start = n.period_start
            and f.period_end = n.period_end
            and f.accession = n.accession
),

chosen as (
    -- One year each: what may be used before what may not; the later one where a changed fiscal year puts two into one calendar
    -- year; then the preferred tag (never a sum of two), then the newest filing.
    select *
    from judged
    qualify
        row_number() over (
            partition by cik, calendar_year
            order by
                case when refusal is null then 0 else 1 end,
                period_end desc,
                tag_rank asc,
                filed desc,
                accession desc,
                period_start asc
        ) = 1
),

pairs as (
    -- Growth from one filing, which states both years under one tag: one basis and one definition. The newest that has both.
    select
        this_year.cik,
        this_year.calendar_year,
        this_year.capex_usd,
        year_ago.capex_usd as year_ago_usd,
        this_year.known_at
    from judged as this_year
    inner join judged as year_ago
        on
            this_year.cik = year_ago.cik
            and this_year.accession = year_ago.accession
            and this_year.tag = year_ago.tag
            and this_year.calendar_year - 1 = year_ago.calendar_year
    where this_year.refusal is null and year_ago.refusal is null
    qualify
        row_number() over (
            partition by this_year.cik, this_year.calendar_year
            order by
                this_year.tag_rank asc,
                this_year.filed desc,
                this_year.accession desc,
                this_year.period_end desc,
                year_ago.period_end desc
        ) = 1
)

select
    c.cik,
    c.calendar_year,
    case when {{ known_by_as_of('b.retrieved_at') }} then b.name end as name,
    case when {{ known_by_as_of('b.retrieved_at') }} then b.sic end as sic,
    case when {{ known_by_as_of('b.retrieved_at') }} then b.sic_description end as sic_description,
    case
        when {{ known_by_as_of('b.retrieved_at') }} then b.sic_missing_reason
        else 'the industry was not read by the as-of date'
    end as sic_missing_reason,
    c.period_start,
    c.period_end,
    c.capex_usd,
    c.refusal,
    p.capex_usd as like_for_like_usd,
    p.year_ago_usd,
    c.tag,
    c.accession,
    c.filed,
    {{ latest_of(['c.known_at', 'p.known_at']) }} as known_at,
    c.payload_id
from chosen as c
inner join {{ ref('stg_sec_edgar__bulk_filers') }} as b on c.cik = b.cik
left join pairs as p on c.cik = p.cik and c.calendar_year = p.calendar_year
