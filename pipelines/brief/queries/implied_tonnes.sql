-- Metal that the capital expenditure of four quarters implies, by scenario of the referenced parameters.
select
    d.calendar_quarter,
    m.name as metal,
    d.scenario,
    d.implied_tonnes_per_year,
    d.implied_pct_of_world_use,
    d.world_use_tonnes,
    d.world_use_year,
    d.capex_ttm_companies,
    d.companies_expected,
    d.is_lower_bound,
    d.gap_reason
from driver_ai_metal_demand as d
inner join metals as m using (metal_id)
where d.calendar_quarter in (
    select calendar_quarter from driver_ai_metal_demand where implied_tonnes_per_year is not null
)
order by d.calendar_quarter desc, m.name desc, array_position(['low', 'base', 'high'], d.scenario)
