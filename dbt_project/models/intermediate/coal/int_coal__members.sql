-- The countries behind a subject in each year: itself, or for the group those with ten full years, so that both slopes are of
-- one set of countries. Without China and India, nine tenths of the group's electricity, there is no group.
{% set group_minimum = 6 %}
with complete_years as (
    select
        country_id,
        year,
        year_start,
        count(coal_twh / nullif(electricity_twh, 0)) over {{ last_months(109, 'year_start', 'country_id') }} as full_years
    from {{ ref('int_coal__generation') }}
),

in_group as (
    select
        country_id,
        year
    from complete_years
    where full_years = 10
),

group_years as (
    select year
    from in_group
    group by year
    having
        count(*) >= {{ group_minimum }}
        and sum(case when country_id in ('CN', 'IN') then 1 else 0 end) = 2
)

select
    country_id as subject,
    country_id,
    year
from {{ ref('int_coal__generation') }}

union all

select
    'emerging_asia' as subject,
    i.country_id,
    i.year
from in_group as i
inner join group_years as g on i.year = g.year
