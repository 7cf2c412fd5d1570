-- Annual capital expenditure of every filer in the SEC's bulk file, under the same definition as everywhere: cash purchases.
with annual_facts as (
    -- Annual reports only: their comparatives are years, while 10-Qs of some companies tag trailing twelve months.
    select
        f.cik,
        f.period_start,
        f.period_end,
        cast(extract(year from {{ calendar_quarter_of('f.period_start', 'f.period_end') }}) as integer) as calendar_year,
        f.value as capex_usd,
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
        and f.form in ('10-K', '10-K/A', '20-F', '20-F/A', '40-F', '40-F/A')
        and {{ dbt.datediff('f.period_start', 'f.period_end', 'day') }} between 349 and 379
),

chosen as (
    -- One year each: the later one where a changed fiscal year puts two into one calendar year; then the preferred tag (never a
    -- sum of two), then the newest filing.
    select *
    from annual_facts
    qualify
        row_number() over (
            partition by cik, calendar_year
            order by period_end desc, tag_rank asc, filed desc, accession desc, period_start asc
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
    case when c.capex_usd < 0 then 'purchases are not negative' end as refusal,
    c.tag,
    c.accession,
    c.filed,
    c.known_at,
    c.payload_id
from chosen as c
inner join {{ ref('stg_sec_edgar__bulk_filers') }} as b on c.cik = b.cik
