measures as (
    select
        event_id,
        'the measure under ' || replace(max(instrument), '_', ' ') || ' ('
        || coalesce(max(federal_register_citation), max(proclamation_or_order)) || ')' as name
    from policy_events
    group by event_id
)
