-- Weeks between the first and the last known report of a metal for which no report is known, by their Tuesday.
-- A report as of another day of the week (a Tuesday that is a holiday) fills its week.
with reports as (
    select distinct
        source_id,
        metal_id,
        as_of_date
    from {{ ref('stg_cftc__positions') }}
    union all
    select distinct
        source_id,
        metal_id,
        as_of_date
    from {{ ref('stg_cftc_legacy__positions') }}
),

weeks as (
    select distinct
        source_id,
        metal_id,
        {{ tuesday_of('as_of_date') }} as tuesday
    from reports
),

spans as (
    select
        source_id,
        metal_id,
        min(as_of_date) as first_as_of_date,
        max(as_of_date) as last_as_of_date
    from reports
    group by source_id, metal_id
),

expected as (
    select
        source_id,
        metal_id,
        {{ each_tuesday('first_as_of_date', 'last_as_of_date') }} as tuesday
    from spans
),

missing_weeks as (
    select
        e.source_id,
        e.metal_id,
        e.tuesday
    from expected as e
    left join weeks as w on e.source_id = w.source_id and e.metal_id = w.metal_id and e.tuesday = w.tuesday
    where w.tuesday is null
)

select
    m.source_id,
    m.metal_id,
    m.tuesday as expected_as_of_date,
    max(case when r.as_of_date < m.tuesday then r.as_of_date end) as previous_as_of_date,
    min(case when r.as_of_date > m.tuesday then r.as_of_date end) as next_as_of_date,
    -- The other report counts other groups of traders, but the same open interest.
    count(o.source_id) > 0 as is_in_the_other_report
from missing_weeks as m
inner join reports as r on m.source_id = r.source_id and m.metal_id = r.metal_id
left join weeks as o on m.source_id <> o.source_id and m.metal_id = o.metal_id and m.tuesday = o.tuesday
group by m.source_id, m.metal_id, m.tuesday
