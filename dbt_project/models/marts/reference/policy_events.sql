-- What is known of US trade policy on metals: curated events, and the status of each metal on the critical-minerals lists.
-- An event counts as known from its publication, never from its signature: see docs/policy_events.md.
with known_events as (
    select *
    from {{ ref('curated_policy_events') }}
    where {{ known_by_as_of('published_on') }}
),

-- A measure that a later event replaced ends when that event takes effect, and only once that event is known:
-- a doubling published five days after its effective date leaves the old rate standing for those five days.
ends as (
    select
        events.event_id,
        least(events.ends_on, coalesce(replacing.effective_on, replacing.published_on)) as ends_on
    from known_events as events
    left join known_events as replacing on events.superseded_by = replacing.event_id
),

events_by_metal as (
    select
        events.event_id,
        events.instrument,
        unnest(string_split(events.metals, ';')) as metal_id,
        events.products,
        events.measure,
        events.rate_pct,
        events.scope_countries,
        events.signed_on,
        events.published_on,
        events.effective_on,
        ends.ends_on,
        coalesce(events.effective_on, events.published_on) as counts_from,
        events.measure in ('tariff', 'tariff_change', 'scope_change', 'exclusion') as is_a_state,
        events.proclamation_or_order,
        events.federal_register_citation,
        events.document_number,
        events.source_url,
        events.note
    from known_events as events
    inner join ends on events.event_id = ends.event_id
),

list_status as (
    select
        list_id as event_id,
        'critical_minerals_list' as instrument,
        metal_id,
        mineral as products,
        status as measure,
        cast(null as double) as rate_pct,
        cast(null as varchar) as scope_countries,
        cast(null as date) as signed_on,
        published_on,
        valid_from as effective_on,
        -- The next list is not known before it is published.
        case when {{ known_by_as_of('valid_to') }} then valid_to end as ends_on,
        valid_from as counts_from,
        true as is_a_state,
        cast(null as varchar) as proclamation_or_order,
        citation as federal_register_citation,
        document_number,
        cast(null as varchar) as source_url,
        cast(null as varchar) as note
    from {{ ref('critical_minerals_lists') }}
    where metal_id is not null and {{ known_by_as_of('published_on') }}
),

all_events as (
    select * from events_by_metal
    union all by name
    select * from list_status
),

register as (
    select distinct document_number
    from {{ ref('stg_federal_register__documents') }}
)

select
    all_events.event_id,
    all_events.metal_id,
    all_events.instrument,
    all_events.measure,
    all_events.products,
    all_events.rate_pct,
    all_events.scope_countries,
    all_events.signed_on,
    all_events.published_on,
    all_events.effective_on,
    all_events.ends_on,
    case
        when all_events.is_a_state
            then
                all_events.counts_from <= {{ as_of_date() }}
                and coalesce(all_events.ends_on > {{ as_of_date() }}, true)
    end as is_in_force,
    all_events.proclamation_or_order,
    all_events.federal_register_citation,
    all_events.document_number,
    register.document_number is not null as is_seen_in_register,
    all_events.source_url,
    all_events.note,
    cast(all_events.published_on as timestamp) as known_at,
    'reported' as known_at_basis,
    {{ as_of_date() }} as as_of
from all_events
left join register on all_events.document_number = register.document_number
