-- C2 ai_capex. The newest calendar quarter for which at least four in five of the companies have filed; a quarter that is
-- still coming in would look like a fall. Companies without four known quarters add nothing to the sum of twelve months: the true
-- one is higher. Tonnes
-- are judged over the range of scenarios: a base between bars that the scenarios straddle decides nothing. Their level is held
-- against the world's use, their yearly increase against a year's growth of it.
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
        max(case when d.scenario = 'high' then d.implied_pct_of_world_use end) over (partition by d.metal_id) as high_pct,
        max(case when d.scenario = 'low' then d.implied_increase_pct_of_use_growth end) over (partition by d.metal_id)
            as increase_low_pct,
        max(case when d.scenario = 'high' then d.implied_increase_pct_of_use_growth end) over (partition by d.metal_id)
            as increase_high_pct
    from {{ ref('driver_ai_metal_demand') }} as d
    inner join latest as l on d.calendar_quarter = l.calendar_quarter
),

metal as (
    select * from scenarios
    where scenario = 'base' and implied_pct_of_world_use is not null
)

{{ evidence('C2', [
    {
        'indicator': 'capex_ttm_usd',
        'is_lower_bound': 'capex_ttm_companies < companies_expected',
        'words': {'capex_ttm_bn': 'capex_ttm_usd / 1e9'},
    },
    {'indicator': 'capex_like_for_like_yoy_pct', 'value': 'like_for_like_yoy_pct'},
    {'indicator': 'capex_acceleration_pp', 'value': 'like_for_like_acceleration_pp'},
    {
        'indicator': 'implied_{metal_id}_pct_of_world_use',
        'value': 'implied_pct_of_world_use',
        'mart': 'driver_ai_metal_demand',
        'rows': 'metal',
        'key': "cast(calendar_quarter as varchar) || '|' || metal_id || '|' || scenario",
        'low': 'low_pct',
        'high': 'high_pct',
        'is_lower_bound': 'is_lower_bound',
        'words': {'implied_thousand_tonnes': 'implied_tonnes_per_year / 1000'},
    },
    {
        'indicator': 'implied_copper_increase_pct_of_use_growth',
        'value': 'implied_increase_pct_of_use_growth',
        'mart': 'driver_ai_metal_demand',
        'rows': 'metal',
        'where': "metal_id = 'copper' and implied_increase_pct_of_use_growth is not null",
        'key': "cast(calendar_quarter as varchar) || '|' || metal_id || '|' || scenario",
        'low': 'increase_low_pct',
        'high': 'increase_high_pct',
        'words': {'increase_thousand_tonnes': 'implied_increase_tonnes / 1000'},
    },
], {
    'mart': 'driver_ai_capex_aggregate', 'rows': 'latest', 'newest': none, 'period': 'calendar_quarter', 'frequency': 'quarterly',
    'key': 'cast(calendar_quarter as varchar)'
}) }}
