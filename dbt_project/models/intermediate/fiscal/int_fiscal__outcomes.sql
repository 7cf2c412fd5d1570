-- What a fiscal impulse could support, as logarithms by month: real prices of base metals and gold, and US industrial production.
{% set metals = {
    'base_metals': 'base_metals_real_usd_per_tonne',
    'gold': 'gold_real_usd_per_troy_ounce',
} %}
{% for outcome, price in metals.items() %}
    select
        '{{ outcome }}' as outcome,
        month,
        ln({{ price }}) as level_log,
        known_at
    from {{ ref('int_metal_prices__deflated') }}
    where {{ price }} is not null
    union all
{% endfor %}
select
    'industrial_production' as outcome,
    period as month,
    ln(value) as level_log,
    known_at
from {{ ref('int_indicators__resolved') }}
where indicator_id = 'us_industrial_production_index' and value is not null
