-- What the first companies to file a quarter spent is no figure of the group: sums and growth need three in five of them.
-- A company whose newest twelve months are not known is carried with its last ones, for two quarters at most: a 10-K may be
-- out 60 days after the year and companyfacts weeks after that, so a year is seldom missing for longer than that.
{% set carried_quarters = 2 %}
with expected as (
    select count(*) as companies_expected
    from {{ ref('stg_catalog__companies') }}
    where role = 'hyperscaler'
),

company_quarters as (
    select
        q.*,
        before.capex_like_for_like_usd as before_like_for_like_usd,
        before.capex_year_ago_usd as before_year_ago_usd,
        -- Both growth rates, of this quarter and of the one a year before.
        q.capex_yoy_pct is not null and before.capex_yoy_pct is not null as has_acceleration,
        before.known_at as before_known_at
    from {{ ref('driver_ai_capex') }} as q
    left join {{ ref('driver_ai_capex') }} as before
        on
            q.company_id = before.company_id
            and {{ dbt.dateadd('month', -12, 'q.calendar_quarter') }} = before.calendar_quarter
),

calendar_quarters as (
    select
        calendar_quarter,
        count(capex_usd) as companies_reporting,
        sum(capex_usd) as capex_usd,
        -- Growth looks only at companies with both quarters, so that a missing one is no fall and a new one no rise.
        count(capex_yoy_pct) as like_for_like_companies,
        sum(case when capex_yoy_pct is not null then capex_like_for_like_usd end) as like_for_like_capex_usd,
        sum(case when capex_yoy_pct is not null then capex_year_ago_usd end) as like_for_like_year_ago_usd,
        -- Acceleration only at companies with both growth rates.
        sum(case when has_acceleration then 1 else 0 end) as acceleration_companies,
        sum(case when has_acceleration then capex_like_for_like_usd end) as accelerated_usd,
        sum(case when has_acceleration then capex_year_ago_usd end) as accelerated_year_ago_usd,
        sum(case when has_acceleration then before_like_for_like_usd end) as before_usd,
        sum(case when has_acceleration then before_year_ago_usd end) as before_year_ago_usd,
        {{ dbt.listagg(
            "case when month_offset <> 0 then company_id || ' ' || cast(month_offset as string) end", "', '", 'order by company_id'
        ) }} as month_offsets,
        max(known_at) as known_at,
        max(case when has_acceleration then before_known_at end) as before_known_at
    from company_quarters
    group by calendar_quarter
),

trailing_years as (
    -- Of each company the newest twelve months that end in the quarter or shortly before it.
    select
        q.calendar_quarter,
        y.company_id,
        y.calendar_quarter as own_quarter,
        y.fiscal_quarter_end,
        y.capex_ttm_usd,
        y.known_at
    from calendar_quarters as q
    inner join {{ ref('driver_ai_capex') }} as y
        on
            q.calendar_quarter >= y.calendar_quarter
            and y.calendar_quarter >= {{ dbt.dateadd('month', -3 * carried_quarters, 'q.calendar_quarter') }}
    where y.capex_ttm_usd is not null
    qualify row_number() over (partition by q.calendar_quarter, y.company_id order by y.calendar_quarter desc) = 1
),

trailing_sums as (
    select
        calendar_quarter,
        count(*) as capex_ttm_companies,
        sum(case when own_quarter < calendar_quarter then 1 else 0 end) as capex_ttm_companies_carried,
        sum(capex_ttm_usd) as capex_ttm_usd,
        {{ dbt.listagg('company_id', "', '", 'order by company_id') }} as capex_ttm_members,
        sum(case when own_quarter = calendar_quarter then 1 else 0 end) as capex_ttm_companies_own,
        {{ dbt.listagg(
            "case when own_quarter < calendar_quarter then company_id || ' to ' || cast(fiscal_quarter_end as string) end", "', '",
            'order by company_id'
        ) }} as capex_ttm_carried,
        max(known_at) as known_at
    from trailing_years
    group by calendar_quarter
)

select
    q.calendar_quarter,
    cast(q.companies_reporting as integer) as companies_reporting,
    cast(e.companies_expected as integer) as companies_expected,
    cast(cast(q.companies_reporting as double) / e.companies_expected as double) as coverage_ratio,
    cast(
        case when {{ is_of_the_group('q.companies_reporting', 'e.companies_expected') }} then q.capex_usd end as double
    ) as capex_usd,
    cast(t.capex_ttm_usd as double) as capex_ttm_usd,
    cast(coalesce(t.capex_ttm_companies, 0) as integer) as capex_ttm_companies,
    cast(coalesce(t.capex_ttm_companies_carried, 0) as integer) as capex_ttm_companies_carried,
    cast(t.capex_ttm_members as string) as capex_ttm_members,
    cast(t.capex_ttm_carried as string) as capex_ttm_carried,
    cast(cast(coalesce(t.capex_ttm_companies, 0) as double) / e.companies_expected as double) as capex_ttm_coverage_ratio,
    cast(
        case
            when {{ is_of_the_group('q.like_for_like_companies', 'e.companies_expected') }}
                then 100.0 * (q.like_for_like_capex_usd / q.like_for_like_year_ago_usd - 1)
        end as double
    ) as like_for_like_yoy_pct,
    cast(q.like_for_like_companies as integer) as like_for_like_companies,
    cast(
        case
            when {{ is_of_the_group('q.acceleration_companies', 'e.companies_expected') }}
                then 100.0 * (q.accelerated_usd / q.accelerated_year_ago_usd - q.before_usd / q.before_year_ago_usd)
        end as double
    ) as like_for_like_acceleration_pp,
    cast(q.acceleration_companies as integer) as acceleration_companies,
    cast(q.month_offsets as string) as month_offsets,
    cast(
        case
            when not {{ is_of_the_group('q.companies_reporting', 'e.companies_expected') }}
                then
                    'only ' || cast(q.companies_reporting as string) || ' of ' || cast(e.companies_expected as string)
                    || ' companies have a figure for the quarter'
        end as string
    ) as gap_reason,
    cast({{ latest_of(['q.known_at', 'q.before_known_at', 't.known_at']) }} as timestamp) as known_at
from calendar_quarters as q
cross join expected as e
left join trailing_sums as t
    on
        q.calendar_quarter = t.calendar_quarter
        and {{ is_of_the_group('t.capex_ttm_companies_own', 'e.companies_expected') }}
-- Quarters before the first figure are left out; later ones without a figure are gaps and stay.
where q.calendar_quarter >= (
    select min(reported.calendar_quarter) from calendar_quarters as reported
    where reported.companies_reporting > 0
)
