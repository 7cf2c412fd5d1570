with expected as (
    select count(*) as companies_expected
    from {{ ref('stg_catalog__companies') }}
    where role = 'hyperscaler'
),

calendar_quarters as (
    select
        calendar_quarter,
        count(capex_usd) as companies_reporting,
        sum(capex_usd) as capex_usd,
        count(capex_ttm_usd) as capex_ttm_companies,
        sum(capex_ttm_usd) as capex_ttm_usd,
        -- Growth looks only at companies with both quarters, so that a missing one is no fall and a new one no rise.
        count(capex_yoy_pct) as like_for_like_companies,
        sum(case when capex_yoy_pct is not null then capex_usd end) as like_for_like_capex_usd,
        sum(case when capex_yoy_pct is not null then capex_year_ago_usd end) as like_for_like_year_ago_usd,
        {{ dbt.listagg(
            "case when month_offset <> 0 then company_id || ' ' || cast(month_offset as string) end", "', '", 'order by company_id'
        ) }} as month_offsets,
        max(known_at) as known_at
    from {{ ref('driver_ai_capex') }}
    group by calendar_quarter
),

grown as (
    select
        *,
        100.0 * (like_for_like_capex_usd / like_for_like_year_ago_usd - 1) as like_for_like_yoy_pct
    from calendar_quarters
)

select
    q.calendar_quarter,
    cast(q.companies_reporting as integer) as companies_reporting,
    cast(e.companies_expected as integer) as companies_expected,
    cast(cast(q.companies_reporting as double) / e.companies_expected as double) as coverage_ratio,
    cast(q.capex_usd as double) as capex_usd,
    cast(q.capex_ttm_usd as double) as capex_ttm_usd,
    cast(q.capex_ttm_companies as integer) as capex_ttm_companies,
    cast(cast(q.capex_ttm_companies as double) / e.companies_expected as double) as capex_ttm_coverage_ratio,
    cast(q.like_for_like_yoy_pct as double) as like_for_like_yoy_pct,
    cast(q.like_for_like_companies as integer) as like_for_like_companies,
    cast(
        q.like_for_like_yoy_pct - {{ months_earlier('q.like_for_like_yoy_pct', 12, 'q.calendar_quarter') }} as double
    ) as like_for_like_acceleration_pp,
    cast(q.month_offsets as string) as month_offsets,
    cast(
        {{ latest_of(['q.known_at', months_earlier('q.known_at', 12, 'q.calendar_quarter')]) }} as timestamp
    ) as known_at
from grown as q
cross join expected as e
-- Quarters before the first figure say nothing; later ones without any figure do.
where q.calendar_quarter >= (
    select min(reported.calendar_quarter) from calendar_quarters as reported
    where reported.companies_reporting > 0
)
