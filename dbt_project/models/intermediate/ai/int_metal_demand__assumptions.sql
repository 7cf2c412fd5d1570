-- The figures of the chain from capital expenditure to metal that are known by the as-of date, one per scenario, link and metal.
select
    a.scenario,
    a.link,
    a.metal_id,
    a.parameter,
    a.segment,
    a.publication,
    p.publisher,
    a.bound,
    {{ bound_of('p', 'a.bound') }} as value,
    p.unit,
    p.known_on
from {{ ref('metal_demand_assumptions') }} as a
inner join {{ ref('data_centre_parameters') }} as p
    on a.parameter = p.parameter and a.segment = p.segment and a.publication = p.publication
where p.known_on <= {{ as_of_date() }}
qualify row_number() over (partition by a.scenario, a.link, a.metal_id order by a.preference) = 1
