-- C2 ai_capex. The newest calendar quarter for which at least four in five of the companies have filed; a quarter that is
-- still coming in would look like a fall.
{% set min_coverage_ratio = 0.8 %}
with latest as (
    select * from {{ ref('driver_ai_capex_aggregate') }}
    where coverage_ratio >= {{ min_coverage_ratio }}
    order by calendar_quarter desc
    limit 1
),

scenarios as (
    select
        d.*,
        max(case when d.scenario = 'low' then d.implied_pct_of_world_use end) over (partition by d.metal_id) as low_pct,
        max(case when d.scenario = 'high' then d.implied_pct_of_world_use end) over (partition by d.metal_id) as high_pct
    from {{ ref('driver_ai_metal_demand') }} as d
    inner join latest as l on d.calendar_quarter = l.calendar_quarter
),

metal as (
    select * from scenarios
    where scenario = 'base' and implied_pct_of_world_use is not null
)

select
    'C2' as claim_id,
    'capex_ttm_usd' as indicator,
    capex_ttm_usd as value,
    -- Companies without twelve months add nothing to the sum: the true one is higher.
    capex_ttm_companies < companies_expected as is_lower_bound,
    calendar_quarter as period,
    {{ period_end('calendar_quarter', "'quarterly'") }} as period_end,
    known_at,
    'driver_ai_capex_aggregate' as source_table,
    cast(calendar_quarter as varchar) as source_key,
    cast(capex_ttm_companies as varchar) || ' of ' || cast(companies_expected as varchar)
    || ' hyperscalers spent ' || {{ number_text('capex_ttm_usd / 1e9', 0) }}
    || ' bn USD cash capex in the four quarters to ' || {{ quarter_text('calendar_quarter') }}
    || coalesce(' (carried with their last known year: ' || capex_ttm_carried || ')', '') as finding
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
    like_for_like_acceleration_pp as value,
    false as is_lower_bound,
    calendar_quarter as period,
    {{ period_end('calendar_quarter', "'quarterly'") }} as period_end,
    known_at,
    'driver_ai_capex_aggregate' as source_table,
    cast(calendar_quarter as varchar) as source_key,
    'growth changed by ' || {{ number_text('like_for_like_acceleration_pp', 0) }}
    || ' points against a year before for the ' || cast(acceleration_companies as varchar) || ' companies with both' as finding
from latest

union all

select
    'C2' as claim_id,
    'implied_' || metal_id || '_pct_of_world_use' as indicator,
    implied_pct_of_world_use as value,
    is_lower_bound,
    calendar_quarter as period,
    {{ period_end('calendar_quarter', "'quarterly'") }} as period_end,
    known_at,
    'driver_ai_metal_demand' as source_table,
    cast(calendar_quarter as varchar) || '|' || metal_id || '|' || scenario as source_key,
    'the spending of ' || cast(capex_ttm_companies as varchar) || ' of ' || cast(companies_expected as varchar)
    || ' hyperscalers implies about ' || {{ number_text('implied_tonnes_per_year / 1000', 0) }} || ' thousand t of ' || metal_id
    || ' a year, ' || {{ number_text('implied_pct_of_world_use') }} || ' % of world ' || world_use_measure || ' in '
    || cast(world_use_year as varchar)
    || case
        when low_pct is null or high_pct is null then ''
        else ' (' || {{ number_text('low_pct') }} || ' to ' || {{ number_text('high_pct') }} || ' % over the scenarios)'
    end as finding
from metal
