-- Trade measures on metals that take or took effect since 2025, one line per measure.
select
    effective_on,
    string_agg(
        distinct coalesce(lower(m.name), replace(metal_id, '_', ' ')), ', ' order by coalesce(lower(m.name), replace(metal_id, '_', ' '))
    ) as metals,
    case instrument when 'ieepa' then 'IEEPA' else replace(instrument, '_', ' ') end as instrument,
    replace(measure, '_', ' ') as measure,
    max(rate_pct) as rate_pct,
    case when count(distinct products) = 1 then max(products) end as products,
    max(ends_on) as ends_on,
    bool_or(is_in_force) as is_in_force,
    coalesce(max(federal_register_citation), max(proclamation_or_order)) as citation,
    max(source_url) as source_url
from policy_events
left join metals as m using (metal_id)
where
    effective_on >= date '2025-01-01'
    {{ and_not_own_use('policy_events', "event_id || '|' || metal_id") }}
group by event_id, effective_on, instrument, measure
order by effective_on desc, instrument, metals, event_id
