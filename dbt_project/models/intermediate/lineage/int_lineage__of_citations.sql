-- Rows that rest on entries of a reference table with their own citation, or count documents of the register. No payload carried the
-- entries, so payload_id is `seed:` and the table's name, beside the payload of the cited document where the register was seen to
-- have it.
{{ config(materialized='view') }}
{% set cited = [
    {
        'mart': 'policy_events',
        'key': "event_id || '|' || metal_id",
        'entries': 'int_policy_events__by_metal',
        'entry': 'event_id',
        'where': 'true',
    },
    {
        'mart': 'driver_trade_policy',
        'key': "metal_id || '|' || cast(month as varchar)",
        'entries': 'int_trade_policy__standing',
        'entry': 'event_id',
        'where': 'stands',
    },
    {
        'mart': 'driver_trade_policy',
        'key': "metal_id || '|' || cast(month as varchar)",
        'entries': 'driver_trade_policy',
        'entry': 'critical_minerals_list_id',
        'where': 'critical_minerals_list_id is not null',
    },
] %}
{% set columns = 'table_name, row_key, input_id, feeds, first_period, last_period, rows, payload_id' %}
with entries as (
    select
        event_id,
        seed,
        case
            when document_number is not null then 'document ' || document_number
            else coalesce(federal_register_citation, proclamation_or_order, source_url)
        end as input_id,
        document_number,
        min(known_on) as known_on
    from {{ ref('int_policy_events__by_metal') }}
    group by event_id, seed, document_number, federal_register_citation, proclamation_or_order, source_url
),

register as (
    select distinct
        document_number,
        payload_id
    from {{ ref('stg_federal_register__documents') }}
),

of_citations as (
    {% for entry in cited %}
        select
            '{{ entry.mart }}' as table_name,
            r.row_key,
            e.input_id,
            'legal dates, rates and status' as feeds,
            e.known_on as first_period,
            e.known_on as last_period,
            cast(1 as bigint) as rows,
            p.payload_id
        from (
            select distinct
                {{ entry.key }} as row_key,
                {{ entry.entry }} as event_id
            from {{ ref(entry.entries) }}
            where {{ entry.where }}
        ) as r
        inner join entries as e on r.event_id = e.event_id
        inner join (
            select
                event_id,
                'seed:' || seed as payload_id
            from entries
            union all
            select
                entries.event_id,
                register.payload_id
            from entries
            inner join register on entries.document_number = register.document_number
        ) as p on e.event_id = p.event_id
        {% if not loop.last %}union{% endif %}
    {% endfor %}
),

-- Parameters and yearly use come from cited publications; a row names those it read.
of_publications as (
    select
        'driver_power_density' as table_name,
        r.segment || '|' || r.parameter as row_key,
        p.publication || ' (' || p.publisher || ')' as input_id,
        p.parameter || ' of ' || p.segment as feeds,
        p.known_on as first_period,
        p.known_on as last_period,
        cast(1 as bigint) as rows,
        'seed:data_centre_parameters' as payload_id
    from {{ ref('driver_power_density') }} as r
    inner join {{ ref('data_centre_parameters') }} as p
        on
            position(p.publication || ' (' || p.publisher || ')' in r.publication) > 0
            and p.parameter in (
                r.parameter, 'kw_per_rack', replace(replace(r.parameter, 'kg_', 't_'), '_per_rack', '_per_mw')
            )
            and p.known_on <= {{ as_of_date() }}
    union
    select
        'driver_ai_metal_demand' as table_name,
        cast(d.calendar_quarter as varchar) || '|' || d.metal_id || '|' || d.scenario as row_key,
        a.publication || ' (' || a.publisher || ')' as input_id,
        a.link as feeds,
        a.known_on as first_period,
        a.known_on as last_period,
        cast(1 as bigint) as rows,
        'seed:data_centre_parameters' as payload_id
    from {{ ref('driver_ai_metal_demand') }} as d
    inner join {{ ref('int_metal_demand__assumptions') }} as a
        on
            d.scenario = a.scenario
            and coalesce(a.metal_id, d.metal_id) = d.metal_id
            and a.publication in (
                d.data_centre_share_publication, d.long_lived_share_publication, d.capex_usd_per_mw_publication,
                d.tonnes_per_mw_publication
            )
    union
    select
        'driver_ai_metal_demand' as table_name,
        cast(d.calendar_quarter as varchar) || '|' || d.metal_id || '|' || d.scenario as row_key,
        d.world_use_source as input_id,
        'world use' as feeds,
        make_date(d.world_use_year, 1, 1) as first_period,
        make_date(d.world_use_year, 12, 31) as last_period,
        cast(1 as bigint) as rows,
        'seed:world_metal_use' as payload_id
    from {{ ref('driver_ai_metal_demand') }} as d
    inner join {{ ref('world_metal_use') }} as w
        on
            d.metal_id = w.metal_id
            and d.world_use_year = w.year
            and d.world_use_source = w.publication || ', ' || w.publisher
    union
    select
        'driver_ai_metal_demand' as table_name,
        cast(d.calendar_quarter as varchar) || '|' || d.metal_id || '|' || d.scenario as row_key,
        d.world_use_growth_source as input_id,
        'growth of world use' as feeds,
        make_date(d.world_use_year, 1, 1) as first_period,
        make_date(d.world_use_year, 12, 31) as last_period,
        cast(1 as bigint) as rows,
        'seed:world_metal_use_growth' as payload_id
    from {{ ref('driver_ai_metal_demand') }} as d
    inner join {{ ref('world_metal_use_growth') }} as w
        on
            d.metal_id = w.metal_id
            and d.world_use_year = w.year
            and d.world_use_growth_source = w.publication || ', ' || w.publisher
),

of_documents as (
    select
        'driver_trade_policy' as table_name,
        t.metal_id || '|' || cast(t.month as varchar) as row_key,
        'federal_register ' || d.topic as input_id,
        'document counts' as feeds,
        min(d.publication_date) as first_period,
        max(d.publication_date) as last_period,
        count(*) as rows,
        d.payload_id
    from {{ ref('driver_trade_policy') }} as t
    inner join {{ ref('stg_federal_register__documents') }} as d
        on t.month = {{ month_of('d.publication_date') }} and t.documents_tariff_metals is not null
    group by t.metal_id, t.month, d.topic, d.payload_id
)

select {{ columns }} from of_citations
union all
select {{ columns }} from of_publications
union all
select {{ columns }} from of_documents
