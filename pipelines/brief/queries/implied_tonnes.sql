-- Metal that the capital expenditure of four quarters implies, by scenario of the referenced parameters: of the quarters
-- whose sum is over the same companies as the newest, so that one that joins or is missing is no rise and no fall.
with newest as (
    select capex_ttm_members
    from driver_ai_metal_demand
    where implied_tonnes_per_year is not null
    order by calendar_quarter desc
    limit 1
)

select
    d.calendar_quarter,
    m.name as metal,
    d.scenario,
    d.implied_tonnes_per_year,
    d.implied_pct_of_world_use,
    d.world_use_tonnes,
    d.world_use_year,
    d.world_use_measure,
    d.capex_ttm_companies,
    d.capex_ttm_carried,
    d.companies_expected,
    d.is_lower_bound,
    d.gap_reason
from driver_ai_metal_demand as d
inner join metals as m using (metal_id)
inner join newest as n using (capex_ttm_members)
where d.calendar_quarter in (
    select calendar_quarter from driver_ai_metal_demand where implied_tonnes_per_year is not null
)
order by d.calendar_quarter desc, m.name desc, array_position(['low', 'base', 'high'], d.scenario)
