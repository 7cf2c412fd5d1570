-- Every claim's evidence, one model per claim; a new claim is one more line here, its model, and its rules in the seeds.
{% set claims = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'd1', 'd2', 'd3', 'd4', 's1', 's2', 's3'] %}
{% for claim in claims %}
    select
        claim_id,
        indicator,
        cast(value as double) as value,
        is_lower_bound,
        cast(period as date) as period,
        cast(period_end as date) as period_end,
        cast(known_at as timestamp) as known_at,
        source_table,
        source_key,
        finding
    from {{ ref('int_claim_' ~ claim ~ '__evidence') }}
    {% if not loop.last %}union all{% endif %}
{% endfor %}
