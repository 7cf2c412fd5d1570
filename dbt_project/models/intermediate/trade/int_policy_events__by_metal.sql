-- Curated events and the entries of the lists of critical minerals in one shape, one row per event and metal, with what ends
-- them. An event counts as known from its publication (the White House's dated posting, where one was read, else the Federal
-- Register), never from its signature: see docs/policy_events.md.
with dated as (
    select
        *,
        coalesce(posted_on, published_on) as known_on
    from {{ ref('curated_policy_events') }}
),

known_events as (
    select *
    from dated
    where {{ known_by_as_of('known_on') }}
),

events as (
    select
        events.event_id,
        events.instrument,
        unnest(string_split(events.metals, ';')) as metal_id,
        events.products,
        events.measure,
        events.rate_pct,
        events.scope_countries,
        events.signed_on,
        events.posted_on,
        events.published_on,
        events.known_on,
        events.effective_on,
        events.ends_on as own_ends_on,
        coalesce(replacing.effective_on, replacing.known_on) as replaced_on,
        replacing.known_on as replacement_known_on,
        events.proclamation_or_order,
        events.federal_register_citation,
        events.document_number,
        events.source_url,
        events.note,
        'curated_policy_events' as seed
    from known_events as events
    left join known_events as replacing on events.superseded_by = replacing.event_id
),

list_entries as (
    select
        list_id as event_id,
        'critical_minerals_list' as instrument,
        metal_id,
        mineral as products,
        status as measure,
        cast(null as double) as rate_pct,
        cast(null as varchar) as scope_countries,
        cast(null as date) as signed_on,
        cast(null as date) as posted_on,
        published_on,
        published_on as known_on,
        valid_from as effective_on,
        cast(null as date) as own_ends_on,
        -- A list ends on the day the next one is published, and not before that is known.
        case when {{ known_by_as_of('valid_to') }} then valid_to end as replaced_on,
        case when {{ known_by_as_of('valid_to') }} then valid_to end as replacement_known_on,
        cast(null as varchar) as proclamation_or_order,
        citation as federal_register_citation,
        document_number,
        cast(null as varchar) as source_url,
        cast(null as varchar) as note,
        'critical_minerals_lists' as seed
    from {{ ref('critical_minerals_lists') }}
    where metal_id is not null and {{ known_by_as_of('published_on') }}
),

together as (
    select * from events
    union all
    select * from list_entries
)

select
    *,
    -- Where the effective day could not be read, a state counts from the day it became known.
    coalesce(effective_on, known_on) as counts_from,
    measure in ('tariff', 'tariff_change', 'scope_change', 'exclusion', 'listed') as is_a_state
from together
