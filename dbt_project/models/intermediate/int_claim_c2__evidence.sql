-- C2 ai_capex. The newest calendar quarter for which at least four in five of the companies have filed; a quarter that is
-- still coming in would look like a fall.
{% set min_coverage_ratio = 0.8 %}
with covered as (
    select
        *,
        like_for_like_yoy_pct - {{ months_earlier('like_for_like_yoy_pct', 12, 'calendar_quarter') }} as acceleration_pp
    from {{ ref('driver_ai_capex_aggregate') }}
),

latest as (
    select * from covered
    where coverage_ratio >= {{ min_coverage_ratio }}
    order by calendar_quarter desc
    limit 1
)

select
    'C2' as claim_id,
    'capex_ttm_usd' as indicator,
    capex_ttm_usd as value,
    -- Companies without four known quarters add nothing to the sum: the true one is higher.
    capex_ttm_companies < companies_expected as is_lower_bound,
    calendar_quarter as period,
    {{ period_end('calendar_quarter', "'quarterly'") }} as period_end,
    known_at,
    'driver_ai_capex_aggregate' as source_table,
    cast(calendar_quarter as varchar) as source_key,
    cast(capex_ttm_companies as varchar) || ' of ' || cast(companies_expected as varchar)
    || ' hyperscalers spent ' || {{ number_text('capex_ttm_usd / 1e9', 0) }}
    || ' bn USD cash capex in the four quarters to ' || {{ quarter_text('calendar_quarter') }} as finding
from latest

union all

select
    'C2' as claim_id,
    'capex_like_for_like_yoy_pct' as indicator,
    like_for_like_yoy_pct as value,
    false as is_lower_bound,
    calendar_quarter as period,
    {{ period_end('calendar_quarter', "'quarterly'") }} as period_end,
    known_at,
    'driver_ai_capex_aggregate' as source_table,
    cast(calendar_quarter as varchar) as source_key,
    'the spending of ' || {{ quarter_text('calendar_quarter') }} || ' was ' || {{ number_text('like_for_like_yoy_pct', 0) }}
    || ' % above a year before for the ' || cast(like_for_like_companies as varchar) || ' companies with both quarters'
        as finding
from latest

union all

select
    'C2' as claim_id,
    'capex_acceleration_pp' as indicator,
    acceleration_pp as value,
    false as is_lower_bound,
    calendar_quarter as period,
    {{ period_end('calendar_quarter', "'quarterly'") }} as period_end,
    known_at,
    'driver_ai_capex_aggregate' as source_table,
    cast(calendar_quarter as varchar) as source_key,
    'growth changed by ' || {{ number_text('acceleration_pp', 0) }} || ' points against a year before' as finding
from latest
