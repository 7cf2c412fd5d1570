-- Copper that the capital expenditure of four quarters implies, in the three scenarios of the referenced parameters.
select
    calendar_quarter,
    max(implied_tonnes_per_year) filter (where scenario = 'low') as low_tonnes_per_year,
    max(implied_tonnes_per_year) filter (where scenario = 'base') as base_tonnes_per_year,
    max(implied_tonnes_per_year) filter (where scenario = 'high') as high_tonnes_per_year
from driver_ai_metal_demand
where metal_id = 'copper'
group by calendar_quarter
having count(implied_tonnes_per_year) > 0
order by calendar_quarter
