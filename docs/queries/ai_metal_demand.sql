-- How many tonnes of copper does AI capital expenditure imply (low to high), and what share of world use is that?
select
    calendar_quarter, metal_id, scenario, round(capex_ttm_usd / 1e9, 1) as capex_12m_usd_bn,
    round(implied_mw) as implied_mw, round(implied_tonnes_per_year) as implied_tonnes_per_year,
    round(implied_pct_of_world_use, 2) as implied_pct_of_world_use, world_use_measure, capex_ttm_companies, companies_expected,
    capex_ttm_carried
from driver_ai_metal_demand
where metal_id = 'copper' and implied_tonnes_per_year is not null
qualify calendar_quarter = max(calendar_quarter) over ()
order by implied_tonnes_per_year
