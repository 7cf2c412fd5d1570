-- The hyperscalers together: the newest quarters with a trailing sum.
select
    calendar_quarter,
    companies_reporting,
    companies_expected,
    capex_usd,
    capex_usd / 1e9 as capex_bn,
    capex_ttm_usd,
    capex_ttm_companies,
    capex_ttm_carried,
    like_for_like_yoy_pct,
    like_for_like_companies
from driver_ai_capex_aggregate
where
    capex_ttm_usd is not null
    {{ and_not_own_use('driver_ai_capex_aggregate', "calendar_quarter") }}
order by calendar_quarter desc
limit 12
