-- Electricity from coal and from all sources, by country and year: one row where either is known.
select
    c.country_id,
    c.country,
    r.period as year_start,
    cast(extract(year from r.period) as integer) as year,
    max(case when r.indicator_id like '%_coal_generation_annual_twh' then r.value end) as coal_twh,
    max(case when r.indicator_id like '%_electricity_generation_annual_twh' then r.value end) as electricity_twh,
    max(r.known_at) as known_at
from {{ ref('int_indicators__resolved') }} as r
inner join {{ ref('emerging_asia') }} as c
    on
        r.indicator_id = lower(c.country_id) || '_coal_generation_annual_twh'
        or r.indicator_id = lower(c.country_id) || '_electricity_generation_annual_twh'
group by c.country_id, c.country, r.period
