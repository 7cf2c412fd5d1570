-- Which duties and exemptions affect copper and silver, with legal dates, rates in per cent and citation?
select
    metal_id, effective_on, ends_on, instrument, measure, rate_pct, products, is_in_force, proclamation_or_order,
    federal_register_citation
from policy_events
where metal_id in ('copper', 'silver')
order by metal_id, effective_on desc nulls last, event_id
