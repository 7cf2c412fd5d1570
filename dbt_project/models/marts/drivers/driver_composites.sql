-- The mean of the scores that are there, by weight. It is given only where at least half of the metal's drivers by weight,
-- and two of them, have a score: a composite of a small part of the drivers would not be comparable.
{% set groups = ['fiscal', 'monetary', 'china', 'ai', 'trade', 'geopolitics', 'positioning'] %}
with expected as (
    select
        metal_id,
        count(*) as drivers_expected,
        sum(weight) as weight_expected
    from {{ ref('driver_exposures') }}
    group by metal_id
),

summed as (
    select
        metal_id,
        month,
        sum(contribution) as composite,
        {% for group in groups %}
            sum(case when driver_group = '{{ group }}' then contribution end) as contribution_{{ group }},
        {% endfor %}
        count(contribution) as drivers_available,
        coalesce(sum(case when contribution is not null then weight end), 0) as weight_available,
        string_agg(case when contribution is not null then driver_id end, ', ' order by driver_id) as drivers_used,
        max(case when contribution is not null then known_at end) as known_at
    from {{ ref('driver_scores') }}
    group by metal_id, month
),

covered as (
    select
        s.*,
        e.drivers_expected,
        s.weight_available / e.weight_expected as coverage_ratio,
        s.drivers_available >= 2 and s.weight_available >= 0.5 * e.weight_expected as is_enough
    from summed as s
    inner join expected as e on s.metal_id = e.metal_id
)

select
    metal_id,
    month,
    case when is_enough then composite end as composite,
    {% for group in groups %}
        contribution_{{ group }},
    {% endfor %}
    cast(drivers_available as integer) as drivers_available,
    cast(drivers_expected as integer) as drivers_expected,
    coverage_ratio,
    drivers_used,
    case
        when not is_enough and drivers_expected = 1 then 'one driver is too few'
        when not is_enough
            then
                'only ' || cast(drivers_available as varchar) || ' of ' || cast(drivers_expected as varchar)
                || ' drivers have a score'
    end as gap_reason,
    known_at
from covered
