-- Copper that the capital expenditure of four quarters implies, in the three scenarios of the referenced parameters: of the
-- quarters whose sum is over the same companies as the newest.
with newest as (
    select capex_ttm_members
    from driver_ai_metal_demand
    where implied_tonnes_per_year is not null
    order by calendar_quarter desc
    limit 1
)

select
    calendar_quarter,
    max(implied_tonnes_per_year) filter (where scenario = 'low') as low_tonnes_per_year,
    max(implied_tonnes_per_year) filter (where scenario = 'base') as base_tonnes_per_year,
    max(implied_tonnes_per_year) filter (where scenario = 'high') as high_tonnes_per_year
from driver_ai_metal_demand
inner join newest using (capex_ttm_members)
where metal_id = 'copper'
group by calendar_quarter
having count(implied_tonnes_per_year) > 0
order by calendar_quarter
