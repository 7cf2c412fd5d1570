-- Rows that are one record of a publisher and carry its payload, and rows that are an entry of the project's own catalogue: there
-- payload_id is `catalog:` and the file's name.
{{ config(materialized='view') }}
{% set records = [
    {
        'mart': 'tariff_releases',
        'key': 'release_id',
        'input': "'usitc_hts'",
        'period': 'release_start_date',
        'rows': '1',
        'where': 'true',
    },
    {
        'mart': 'capex_universe',
        'key': "industry || '|' || cast(calendar_year as varchar)",
        'input': "'sec_edgar'",
        'period': 'make_date(calendar_year, 1, 1)',
        'rows': 'filers',
        'where': 'gap_reason is null',
    },
] %}
{% set columns = 'table_name, row_key, input_id, feeds, first_period, last_period, rows, payload_id' %}
with of_records as (
    {% for entry in records %}
        select
            '{{ entry.mart }}' as table_name,
            {{ entry.key }} as row_key,
            {{ entry.input }} as input_id,
            'record' as feeds,
            {{ entry.period }} as first_period,
            {{ entry.period }} as last_period,
            cast({{ entry.rows }} as bigint) as rows,
            payload_id
        from {{ ref(entry.mart) }}
        where {{ entry.where }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

of_catalogue as (
    {% for mart, key, file in [
        ('metals', 'metal_id', "'metals.yaml'"), ('companies', 'company_id', "'companies.yaml'"),
        ('sources', 'source_id', "'sources.yaml'"), ('series', 'series_id', "'series/' || source_id || '.yaml'")
    ] %}
        select
            '{{ mart }}' as table_name,
            {{ key }} as row_key,
            {{ key }} as input_id,
            'the entry' as feeds,
            cast(null as date) as first_period,
            cast(null as date) as last_period,
            cast(1 as bigint) as rows,
            'catalog:' || {{ file }} as payload_id
        from {{ ref(mart) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select {{ columns }} from of_records
union all
select {{ columns }} from of_catalogue
