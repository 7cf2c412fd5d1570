-- What is known of US trade policy on metals: curated events, and the status of each metal on the critical-minerals lists.
with events as (
    select
        *,
        {{ policy_ends_on('own_ends_on', 'replaced_on', 'replacement_known_on', as_of_date()) }} as ends_on
    from {{ ref('int_policy_events__by_metal') }}
),

register as (
    select distinct document_number
    from {{ ref('stg_federal_register__documents') }}
)

select
    events.event_id,
    events.metal_id,
    events.instrument,
    events.measure,
    events.products,
    events.rate_pct,
    events.scope_countries,
    events.signed_on,
    events.posted_on,
    events.published_on,
    events.effective_on,
    events.ends_on,
    case
        when events.is_a_state then {{ is_in_force_on('events.counts_from', 'events.ends_on', as_of_date()) }}
    end as is_in_force,
    events.proclamation_or_order,
    events.federal_register_citation,
    events.document_number,
    register.document_number is not null as is_seen_in_register,
    events.source_url,
    events.note,
    cast(events.known_on as timestamp) as known_at,
    'reported' as known_at_basis,
    {{ as_of_date() }} as as_of
from events
left join register on events.document_number = register.document_number
