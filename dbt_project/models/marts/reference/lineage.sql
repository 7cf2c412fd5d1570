-- From a published row back to the payloads it was computed from. A view: it is read for a row or two at a time.
-- What rests on inputs themselves is in int_lineage__of_*, by kind of input. Linked here are rows that were read from rows of other
-- marts, level by level: they inherit their lineage.
-- Verdicts of past days have none here: what they rest on is in the build of that day (`metals run --as-of DAY`).
{{ config(materialized='view') }}
{% set linked = [
    [
        {
            'mart': 'divergence_capacity_clearance_sector',
            'of': 'int_producers__by_quarter',
            'key': "sector || '|' || cast(calendar_quarter as varchar)",
            'parent': "'divergence_capacity_clearance'",
            'parent_key': 'producer_key',
            'where': 'true',
        },
        {
            'mart': 'divergence_coal_transition',
            'of': 'int_coal__members',
            'key': "subject || '|' || cast(year as varchar)",
            'parent': "'divergence_coal_transition'",
            'parent_key': "country_id || '|' || cast(year as varchar)",
            'where': "subject <> country_id",
        },
        {
            'mart': 'driver_scores',
            'of': 'int_lineage__driver_rows',
            'key': 'row_key',
            'parent': 'parent_table',
            'parent_key': 'parent_key',
            'where': 'true',
        },
        {
            'mart': 'metal_attribution',
            'of': 'int_lineage__attribution_rows',
            'key': 'row_key',
            'parent': 'parent_table',
            'parent_key': 'parent_key',
            'where': 'true',
        },
        {
            'mart': 'metal_prices_usd',
            'key': "metal_id || '|' || cast(period as varchar)",
            'parent': "'metal_quotations_usd'",
            'parent_key': "metal_id || '|' || series_id || '|' || cast(period as varchar)",
            'where': 'true',
        },
        {
            'mart': 'metal_volatility_drivers',
            'of': 'int_lineage__volatility_rows',
            'key': 'row_key',
            'parent': 'parent_table',
            'parent_key': 'parent_key',
            'where': 'true',
        },
    ],
    [
        {
            'mart': 'driver_ai_metal_demand',
            'key': "cast(calendar_quarter as varchar) || '|' || metal_id || '|' || scenario",
            'parent': "'driver_ai_capex_aggregate'",
            'parent_key': 'cast(calendar_quarter as varchar)',
            'where': 'true',
        },
        {
            'mart': 'metal_attribution_betas',
            'key': "metal_id || '|' || cast(month as varchar) || '|' || regressor_id",
            'parent': "'metal_attribution'",
            'parent_key': "metal_id || '|' || cast(month as varchar)",
            'where': 'beta is not null',
        },
        {
            'mart': 'metal_attribution_families',
            'of': 'metal_attribution',
            'key': "family || '|' || cast(month as varchar)",
            'parent': "'metal_attribution'",
            'parent_key': "metal_id || '|' || cast(month as varchar)",
            'where': 'true',
        },
        {
            'mart': 'driver_composites',
            'of': 'driver_scores',
            'key': "metal_id || '|' || cast(month as varchar)",
            'parent': "'driver_scores'",
            'parent_key': "metal_id || '|' || driver_id || '|' || cast(month as varchar)",
            'where': 'contribution is not null',
        },
    ],
    [
        {
            'mart': 'driver_cross_section',
            'of': 'driver_composites',
            'key': 'cast(month as varchar)',
            'parent': "'driver_composites'",
            'parent_key': "metal_id || '|' || cast(month as varchar)",
            'where': 'composite is not null and month in (select month from ' ~ ref('driver_cross_section') ~ ')',
        },
        {
            'mart': 'divergence_price_driver',
            'key': "metal_id || '|' || cast(month as varchar)",
            'parent': "'driver_composites'",
            'parent_key': "metal_id || '|' || cast(month as varchar)",
            'where': 'true',
        },
        {
            'mart': 'divergence_price_driver',
            'key': "metal_id || '|' || cast(month as varchar)",
            'parent': "'metal_prices'",
            'parent_key': "metal_id || '|monthly|' || cast(month as varchar)",
            'where': 'true',
        },
    ],
    [
        {
            'mart': 'divergence_history',
            'key': "divergence_id || '|' || subject || '|' || cast(period as varchar)",
            'parent': 'source_table',
            'parent_key': 'source_key',
            'where': 'true',
        },
        {
            'mart': 'divergences',
            'key': "divergence_id || '|' || subject",
            'parent': 'source_table',
            'parent_key': 'source_key',
            'where': 'true',
        },
        {
            'mart': 'opportunities',
            'key': 'metal_id',
            'parent': "'divergence_price_driver'",
            'parent_key': "metal_id || '|' || cast(month as varchar)",
            'where': 'price_gap_zscore is not null',
        },
        {
            'mart': 'opportunities',
            'key': 'metal_id',
            'parent': "'driver_composites'",
            'parent_key': "metal_id || '|' || cast(month as varchar)",
            'where': 'drivers_available > 0',
        },
    ],
    [
        {
            'mart': 'claim_evidence',
            'key': "claim_id || '|' || indicator",
            'parent': 'source_table',
            'parent_key': 'source_key',
            'where': 'source_table is not null',
        },
        {
            'mart': 'claim_scores',
            'key': "claim_id || '|' || cast(as_of as varchar)",
            'parent': 'source_table',
            'parent_key': 'base_key',
            'where': 'base_key is not null',
        },
        {
            'mart': 'claim_scores',
            'key': "claim_id || '|' || cast(as_of as varchar)",
            'parent': 'source_table',
            'parent_key': 'due_key',
            'where': 'due_key is not null',
        },
    ],
    [
        {
            'mart': 'claim_verdicts',
            'of': 'claim_evidence',
            'key': 'claim_id',
            'parent': "'claim_evidence'",
            'parent_key': "claim_id || '|' || indicator",
            'where': 'true',
        },
    ],
] %}
{% set columns = 'table_name, row_key, input_id, feeds, first_period, last_period, rows, payload_id' %}
with level_0 as (
    {% for kind in ['series', 'filings', 'citations', 'records'] %}
        select {{ columns }} from {{ ref('int_lineage__of_' ~ kind) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

{% for level in linked %}
    links_{{ loop.index }} as (
        {% for entry in level %}
            select
                '{{ entry.mart }}' as table_name,
                {{ entry.key }} as row_key,
                {{ entry.parent }} as parent_table,
                {{ entry.parent_key }} as parent_key
            from {{ ref(entry.of or entry.mart) }}
            where {{ entry.where }}
            {% if not loop.last %}union all{% endif %}
        {% endfor %}
    ),

    level_{{ loop.index }} as (
        select {{ columns }} from level_{{ loop.index0 }}
        union all
        select
            l.table_name,
            l.row_key,
            p.input_id,
            p.feeds,
            min(p.first_period) as first_period,
            max(p.last_period) as last_period,
            max(p.rows) as rows,
            p.payload_id
        from links_{{ loop.index }} as l
        inner join level_{{ loop.index0 }} as p on l.parent_table = p.table_name and l.parent_key = p.row_key
        group by l.table_name, l.row_key, p.input_id, p.feeds, p.payload_id
    ),
{% endfor %}

everything as (
    select {{ columns }} from level_{{ linked | length }}
)

select
    table_name,
    row_key,
    input_id,
    feeds,
    first_period,
    last_period,
    cast(rows as bigint) as rows,
    payload_id
from everything
