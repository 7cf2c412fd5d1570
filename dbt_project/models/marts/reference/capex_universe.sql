with filers as (
    select
        *,
        coalesce(sic, 'unknown') as industry
    from {{ ref('int_capex_universe__filers') }}
),

grown as (
    select
        *,
        case when refusal is null then capex_usd end as usable_usd
    from filers
),

ranked as (
    select
        *,
        row_number() over (
            partition by industry, calendar_year
            order by usable_usd desc nulls last, cik asc
        ) as place
    from grown
),

industries as (
    select
        industry,
        calendar_year,
        max(sic_description) as industry_name,
        max(sic_missing_reason) as industry_missing_reason,
        count(usable_usd) as filers,
        count(refusal) as filers_refused,
        sum(usable_usd) as capex_usd,
        -- Growth is of filers with both years: a filer that starts or stops is neither a rise nor a fall.
        count(year_ago_usd) as like_for_like_filers,
        sum(like_for_like_usd) as like_for_like_usd,
        sum(year_ago_usd) as like_for_like_year_ago_usd,
        max(case when place = 1 then coalesce(name, 'CIK ' || cast(cik as varchar)) end) as largest_filer,
        max(case when place = 1 then usable_usd end) as largest_filer_capex_usd,
        string_agg(
            case when place <= 5 and usable_usd is not null then coalesce(name, 'CIK ' || cast(cik as varchar)) end, '; '
            order by place
        ) as largest_filers,
        max(known_at) as known_at,
        max(payload_id) as payload_id
    from ranked
    group by industry, calendar_year
),

totals as (
    select
        calendar_year,
        sum(capex_usd) as capex_usd
    from industries
    group by calendar_year
)

select
    i.industry,
    i.calendar_year,
    i.industry_name,
    i.industry_missing_reason,
    cast(i.filers as integer) as filers,
    cast(i.filers_refused as integer) as filers_refused,
    cast(i.capex_usd as double) as capex_usd,
    cast(case when t.capex_usd > 0 then 100.0 * i.capex_usd / t.capex_usd end as double) as share_of_all_filers_pct,
    cast(
        case
            when i.like_for_like_year_ago_usd > 0
                then 100.0 * (i.like_for_like_usd / i.like_for_like_year_ago_usd - 1)
        end as double
    ) as like_for_like_yoy_pct,
    cast(i.like_for_like_filers as integer) as like_for_like_filers,
    i.largest_filer,
    cast(i.largest_filer_capex_usd as double) as largest_filer_capex_usd,
    i.largest_filers,
    cast(i.known_at as timestamp) as known_at,
    i.payload_id,
    case when i.capex_usd is null then 'the figure of every filer was refused' end as gap_reason
from industries as i
inner join totals as t on i.calendar_year = t.calendar_year
union all
select
    cast(null as varchar) as industry,
    cast(null as integer) as calendar_year,
    cast(null as varchar) as industry_name,
    cast(null as varchar) as industry_missing_reason,
    0 as filers,
    0 as filers_refused,
    cast(null as double) as capex_usd,
    cast(null as double) as share_of_all_filers_pct,
    cast(null as double) as like_for_like_yoy_pct,
    0 as like_for_like_filers,
    cast(null as varchar) as largest_filer,
    cast(null as double) as largest_filer_capex_usd,
    cast(null as varchar) as largest_filers,
    cast(null as timestamp) as known_at,
    cast(null as varchar) as payload_id,
    case
        when b.filers = 0 then 'no bulk history: `metals backfill sec` has not been run'
        else 'the bulk history holds no annual capital expenditure that was known by the as-of date'
    end as gap_reason
from (select count(*) as filers from {{ ref('stg_sec_edgar__bulk_filers') }}) as b
where not exists (select 1 from industries)
