-- The measures on each metal at the end of each month (for the running month: on the as-of date), from what was published by
-- then: duties and exemptions in force on their legal dates, threats that had been announced and not settled, and the list of
-- critical minerals. One row more per product group whose coverage the seed measure_coverage states.
-- Months begin with the first publication that speaks of the metal; before, the curated table says nothing.
with metals as (
    select distinct metal_id
    from {{ ref('measure_coverage') }}
),

events as (
    select
        m.metal_id,
        e.event_id,
        e.metal_id = 'all' as is_of_general_scope,
        e.measure,
        e.rate_pct,
        e.known_on,
        e.effective_on,
        e.counts_from,
        e.own_ends_on,
        e.replaced_on,
        e.replacement_known_on,
        case
            when e.measure in ('tariff', 'tariff_change', 'scope_change') then 'duty'
            when e.measure in ('exclusion', 'listed', 'investigation', 'proposal', 'list_proposal') then e.measure
            else 'other'
        end as standing
    from {{ ref('int_policy_events__by_metal') }} as e
    inner join metals as m on e.metal_id in (m.metal_id, 'all')
),

-- A list is a statement on every metal, also on those that are not on it.
first_list as (
    select min(published_on) as published_on
    from {{ ref('critical_minerals_lists') }}
    where {{ known_by_as_of('published_on') }}
),

first_months as (
    select
        m.metal_id,
        {{ month_of('least(min(e.known_on), min(l.published_on))') }} as first_month
    from metals as m
    left join events as e on m.metal_id = e.metal_id
    cross join first_list as l
    group by m.metal_id
),

spine as (
    {{ month_spine('(select min(first_month) from first_months)', month_of(as_of_date())) }}
),

days as (
    select
        f.metal_id,
        s.month,
        cast(least({{ month_end('s.month') }}, {{ as_of_date() }}) as date) as status_on
    from spine as s
    inner join first_months as f on s.month >= f.first_month
),

dated as (
    select
        d.metal_id,
        d.month,
        d.status_on,
        e.event_id,
        e.is_of_general_scope,
        e.standing,
        e.rate_pct,
        e.known_on,
        e.effective_on,
        e.counts_from,
        {{ policy_ends_on('e.own_ends_on', 'e.replaced_on', 'e.replacement_known_on', 'd.status_on') }} as ends_on
    from days as d
    left join events as e on d.metal_id = e.metal_id and d.status_on >= e.known_on
),

-- A threat counts from its publication until something replaces it or the day it named has come.
judged as (
    select
        *,
        coalesce(
            case
                when standing in ('duty', 'exclusion', 'listed') then {{ is_in_force_on('counts_from', 'ends_on', 'status_on') }}
                when standing in ('investigation', 'list_proposal') then coalesce(ends_on > status_on, true)
                when standing = 'proposal' then coalesce(least(ends_on, effective_on) > status_on, true)
            end,
            false
        ) as stands
    from dated
),

exemptions as (
    select
        event_id,
        min(counts_from) as counts_from,
        min(known_on) as known_on
    from events
    where standing = 'exclusion'
    group by event_id
)

select
    j.metal_id,
    j.month,
    j.status_on,
    j.event_id,
    j.standing,
    j.stands,
    j.is_of_general_scope,
    j.rate_pct,
    j.effective_on,
    j.ends_on,
    j.known_on,
    c.product_group,
    c.is_general,
    -- Null where the tariff lines were not read; false once a later exemption is published and in effect.
    c.is_covered
    and not coalesce(x.known_on <= j.status_on and x.counts_from <= j.status_on, false) as is_covered
from judged as j
left join {{ ref('measure_coverage') }} as c on j.event_id = c.event_id and j.metal_id = c.metal_id
left join exemptions as x on c.exempted_by = x.event_id
