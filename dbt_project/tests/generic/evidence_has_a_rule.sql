{#- Evidence that no rule asks for would vanish in the join to the rules. -#}
{% test evidence_has_a_rule(model) %}
select e.claim_id, e.indicator
from {{ model }} as e
left join {{ ref('claim_rules') }} as r on e.claim_id = r.claim_id and e.indicator = r.indicator
where r.indicator is null
{% endtest %}
