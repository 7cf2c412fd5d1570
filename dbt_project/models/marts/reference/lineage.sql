-- From a published row back to the payloads it was computed from. A view: it is read for a row or two at a time.
-- Six kinds of marts, each declared here once. A row whose input has no figure in the window has no lineage to it.
--   dated     what a row reads is declared in the seed lineage_inputs, by subject (metal, country ...) and window of months
--   filings   a row names the accession numbers it was read from
--   records   a row is one record of a publisher and carries its payload
--   cited     a row rests on entries of a reference table with their own citation; no payload carried them, so payload_id is
--             `seed:` and the table's name, beside the payload of the cited document where the register was seen to have it
--   catalogued  a row is an entry of the project's own catalogue: payload_id is `catalog:` and the file's name
--   linked    a row was read from rows of other marts, level by level: it inherits their lineage
-- Verdicts of past days have none here: what they rest on is in the build of that day (`metals run --as-of DAY`).
{{ config(materialized='view') }}
{% set dated = [
    {'mart': 'driver_monetary', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {'mart': 'driver_china_cycle', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {'mart': 'driver_fiscal', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {'mart': 'driver_geopolitics', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {
        'mart': 'driver_positioning',
        'key': "metal_id || '|' || cast(report_date as varchar)",
        'month': "cast(date_trunc('month', report_date) as date) as month",
        'subject': 'metal_id',
    },
    {
        'mart': 'risk_regimes',
        'key': "metal_id || '|' || regime || '|' || sample || '|' || timing",
        'month': 'greatest(last_month, regime_month) as month',
        'subject': 'metal_id',
    },
    {
        'mart': 'risk_regimes',
        'key': "metal_id || '|' || regime || '|' || sample || '|' || timing",
        'month': 'greatest(last_month, regime_month) as month',
        'subject': 'regime',
    },
    {
        'mart': 'metal_attribution',
        'key': "metal_id || '|' || cast(month as varchar)",
        'month': 'month',
        'subject': 'metal_id',
    },
    {'mart': 'divergence_money_ppi', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {
        'mart': 'driver_trade_policy',
        'key': "metal_id || '|' || cast(month as varchar)",
        'month': 'month',
        'subject': 'metal_id',
    },
    {
        'mart': 'divergence_trade_tightness',
        'key': "metal_id || '|' || cast(month as varchar)",
        'month': 'month',
        'subject': 'metal_id',
    },
    {
        'mart': 'import_margin',
        'key': "metal_id || '|' || cast(trading_day as varchar)",
        'month': "cast(date_trunc('month', trading_day) as date) as month",
        'subject': 'metal_id',
    },
    {'mart': 'macro_state', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {'mart': 'analog_1970s', 'key': 'cast(month as varchar)', 'month': 'reference_month', 'subject': none},
    {
        'mart': 'analog_outcomes',
        'key': "sample || '|' || asset || '|' || cast(horizon_months as varchar)",
        'month': 'reference_month',
        'subject': none,
    },
    {'mart': 'analog_summary', 'key': 'cast(as_of as varchar)', 'month': 'reference_month', 'subject': none},
    {
        'mart': 'driver_scores',
        'key': "metal_id || '|' || driver_id || '|' || cast(month as varchar)",
        'month': 'month',
        'subject': 'driver_id',
    },
    {
        'mart': 'divergence_capacity_clearance_sector',
        'key': "sector || '|' || cast(calendar_quarter as varchar)",
        'month': 'cast(calendar_quarter + interval 2 month as date)',
        'subject': 'sector',
    },
    {
        'mart': 'divergence_coal_transition',
        'key': "subject || '|' || cast(year as varchar)",
        'month': 'make_date(year, 12, 1)',
        'subject': 'subject',
    },
    {
        'mart': 'divergence_capex_payoff',
        'key': "subject || '|' || cast(calendar_quarter as varchar)",
        'month': 'cast(calendar_quarter + interval 2 month as date)',
        'subject': none,
    },
] %}
{% set filings = [
    {
        'mart': 'driver_ai_capex',
        'company': 'company_id',
        'key': "company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar)",
        'from': 'fiscal_quarter_start',
        'to': 'fiscal_quarter_end',
        'quarter': 'calendar_quarter',
        'concepts': ['capex'],
        'feeds': 'capex',
    },
    {
        'mart': 'driver_ai_capex',
        'of': 'int_filing_quarters__discrete',
        'numbers': "concat_ws('; ', accession, subtracted_accession)",
        'company': 'company_id',
        'key': "company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar)",
        'from': 'period_start',
        'to': 'period_end',
        'quarter': 'calendar_quarter',
        'concepts': ['operating_cash_flow', 'revenue'],
        'feeds': 'operating cash flow and revenue',
    },
    {
        'mart': 'driver_ai_capex',
        'of': 'int_filing_quarters__trailing',
        'company': 'company_id',
        'key': "company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar)",
        'from': 'cast(period_end + interval 1 day - interval 1 year as date)',
        'to': 'period_end',
        'quarter': 'calendar_quarter',
        'concepts': ['capex'],
        'feeds': 'twelve months',
    },
    {
        'mart': 'divergence_capex_payoff',
        'company': 'subject',
        'key': "subject || '|' || cast(calendar_quarter as varchar)",
        'from': 'cast(quarter_end + interval 1 day - interval 1 year as date)',
        'to': 'quarter_end',
        'quarter': 'calendar_quarter',
        'concepts': ['capex', 'operating_cash_flow', 'revenue', 'depreciation', 'operating_income'],
        'feeds': 'twelve months',
    },
    {
        'mart': 'divergence_capacity_clearance',
        'company': 'company_id',
        'key': "company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar)",
        'from': 'period_start',
        'to': 'period_end',
        'quarter': 'calendar_quarter',
        'concepts': ['capex', 'depreciation', 'revenue', 'operating_income', 'income_before_tax'],
        'feeds': 'capex, depreciation and margin of twelve months',
    },
] %}
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
            'where': 'opportunity_rank is not null',
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
with dated_rows as (
    {% for entry in dated %}
        select
            '{{ entry.mart }}' as table_name,
            {{ entry.key }} as row_key,
            {{ entry.month }},
            cast({{ entry.subject or 'null' }} as varchar) as subject
        from {{ ref(entry.mart) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

declared as (
    select
        r.table_name,
        r.row_key,
        i.input_id,
        i.feeds,
        case
            when i.window_months is null then date '1800-01-01'
            else cast({{ dbt.dateadd('month', '1 - i.window_months', 'r.month') }} as date)
        end as from_month,
        r.month as to_month
    from dated_rows as r
    inner join {{ ref('lineage_inputs') }} as i
        on r.table_name = i.table_name and (i.subject is null or r.subject = i.subject)
),

prices as (
    select
        'metal_prices' as table_name,
        p.metal_id || '|' || p.frequency || '|' || cast(p.period as varchar) as row_key,
        coalesce(w.input_id, p.series_id) as input_id,
        w.feeds,
        case
            when w.window_months is null then date '1800-01-01'
            else cast({{ dbt.dateadd('month', '1 - w.window_months', month_of('p.period')) }} as date)
        end as from_month,
        {{ month_of('p.period') }} as to_month
    from {{ ref('metal_prices') }} as p
    inner join (
        -- Sixty sessions and the one before them lie within five calendar months.
        values
        ('monthly', null, 1, 'price'),
        ('monthly', null, 13, 'returns and volatility'),
        ('monthly', null, cast(null as integer), 'z-score'),
        ('daily', null, 1, 'price'),
        ('daily', null, 5, 'returns and volatility'),
        ('monthly', 'us_cpi_sa_index', 1, 'real price'),
        ('daily', 'us_cpi_sa_index', 1, 'real price')
    ) as w (frequency, input_id, window_months, feeds)
        on p.frequency = w.frequency
),

ratios as (
    select
        'metal_ratios' as table_name,
        cast(r.month as varchar) as row_key,
        p.series_id as input_id,
        'ratios and z-scores' as feeds,
        date '1800-01-01' as from_month,
        r.month as to_month
    from {{ ref('metal_ratios') }} as r
    inner join {{ ref('metal_prices') }} as p
        on r.month = p.period and p.frequency = 'monthly' and p.metal_id in ('gold', 'silver', 'platinum', 'palladium', 'copper')
),

lead_lags as (
    select
        'lead_lag_money_ppi' as table_name,
        l.sample || '|' || cast(l.lag_months as varchar) as row_key,
        i.input_id,
        i.feeds,
        case
            when i.feeds = 'follower' then l.first_month
            else cast({{ dbt.dateadd('month', '-l.lag_months', 'l.first_month') }} as date)
        end as from_month,
        case
            when i.feeds = 'follower' then l.last_month
            else cast({{ dbt.dateadd('month', '-l.lag_months', 'l.last_month') }} as date)
        end as to_month
    from {{ ref('lead_lag_money_ppi') }} as l
    cross join (
        values ('china_ppi_yoy_pct', 'follower'), ('china_m1_yoy_pct', 'leader'), ('china_m2_yoy_pct', 'leader')
    ) as i (input_id, feeds)
),

-- Where the Geological Survey's production stands for the use of a metal.
surveys as (
    select
        'driver_ai_metal_demand' as table_name,
        cast(d.calendar_quarter as varchar) || '|' || d.metal_id || '|' || d.scenario as row_key,
        s.input_id,
        'world use' as feeds,
        make_date(d.world_use_year, 1, 1) as from_month,
        make_date(d.world_use_year, 12, 1) as to_month
    from {{ ref('driver_ai_metal_demand') }} as d
    inner join (
        values
        ('copper', 'usgs_world_copper_refinery_production_thousand_tonnes'),
        ('aluminium', 'usgs_world_aluminium_smelter_production_thousand_tonnes')
    ) as s (metal_id, input_id) on d.metal_id = s.metal_id
    where d.world_use_source = 'Mineral Commodity Summaries, US Geological Survey'
),

pairs as (
    {% for side in ['default', 'fallback'] %}
        select
            'reconciliation' as table_name,
            indicator_id || '|' || fallback_series_id as row_key,
            {{ side }}_series_id as input_id,
            'the {{ side }} side' as feeds,
            {{ month_of('first_period') }} as from_month,
            last_period as to_month
        from {{ ref('reconciliation') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

freshness as (
    select
        'data_freshness' as table_name,
        series_id as row_key,
        series_id as input_id,
        'periods known' as feeds,
        {{ month_of('first_period') }} as from_month,
        last_period as to_month
    from {{ ref('data_freshness') }}
),

windows as (
    select * from declared
    union all
    select * from surveys
    union all
    select * from pairs
    union all
    select * from freshness
    union all
    select * from prices
    union all
    select * from ratios
    union all
    select * from lead_lags
),

of_series as (
    select
        w.table_name,
        w.row_key,
        w.input_id,
        w.feeds,
        min(p.first_period) as first_period,
        max(p.last_period) as last_period,
        sum(p.rows) as rows,
        p.payload_id
    from windows as w
    inner join {{ ref('int_lineage__periods') }} as p
        on w.input_id = p.input_id and w.from_month <= p.month and w.to_month >= p.month
    group by w.table_name, w.row_key, w.input_id, w.feeds, p.payload_id
),

facts as (
    select distinct
        t.company_id,
        t.concept,
        f.accession,
        f.payload_id
    from {{ ref('stg_sec_edgar__facts') }} as f
    inner join {{ ref('stg_catalog__company_tags') }} as t
        on f.cik = t.cik and f.taxonomy = t.taxonomy and f.tag = t.tag
),

of_filings as (
    {% for entry in filings %}
        select distinct
            '{{ entry.mart }}' as table_name,
            r.row_key,
            r.company_id,
            r.company_id || ' ' || f.accession as input_id,
            '{{ entry.feeds }}' as feeds,
            r.calendar_quarter,
            r.first_period,
            r.last_period,
            cast(1 as bigint) as rows,
            f.payload_id
        from (
            select
                {{ entry.key }} as row_key,
                {{ entry.company }} as company_id,
                {{ entry.numbers or 'accession_numbers' }} as accession_numbers,
                {{ entry.from }} as first_period,
                {{ entry.to }} as last_period,
                {{ entry.quarter }}
            from {{ ref(entry.of or entry.mart) }}
            where
                {{ entry.numbers or 'accession_numbers' }} is not null
                {% if entry.of %}
                    and concept in (
                        '{{ entry.concepts | join("', '") }}'
                    )
                {% endif %}
        ) as r
        inner join facts as f
            on
                r.company_id = f.company_id
                and f.concept in (
                    '{{ entry.concepts | join("', '") }}'
                )
                and position(f.accession in r.accession_numbers) > 0
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- A company's row reads the quarters of two years before it too: the trailing sum, growth, and growth a year before.
of_capex as (
    select
        f.table_name,
        r.company_id || '|' || cast(r.fiscal_year as varchar) || '|' || cast(r.fiscal_quarter as varchar) as row_key,
        f.input_id,
        'trailing sum and growth' as feeds,
        min(f.first_period) as first_period,
        max(f.last_period) as last_period,
        sum(f.rows) as rows,
        f.payload_id
    from {{ ref('driver_ai_capex') }} as r
    inner join of_filings as f
        on
            f.table_name = 'driver_ai_capex'
            and f.feeds = 'capex'
            and r.company_id = f.company_id
            and r.calendar_quarter > f.calendar_quarter
            and r.calendar_quarter - interval 24 month <= f.calendar_quarter
    group by f.table_name, r.company_id, r.fiscal_year, r.fiscal_quarter, f.input_id, f.payload_id
),

-- The aggregate reads the same: the quarter, and two years before it.
of_aggregate as (
    select
        'driver_ai_capex_aggregate' as table_name,
        cast(a.calendar_quarter as varchar) as row_key,
        f.input_id,
        case when a.calendar_quarter = f.calendar_quarter then 'capex' else 'trailing sum and growth' end as feeds,
        min(f.first_period) as first_period,
        max(f.last_period) as last_period,
        sum(f.rows) as rows,
        f.payload_id
    from {{ ref('driver_ai_capex_aggregate') }} as a
    inner join of_filings as f
        on
            f.table_name = 'driver_ai_capex'
            and f.feeds in ('capex', 'twelve months')
            and a.calendar_quarter >= f.calendar_quarter
            and a.calendar_quarter - interval 24 month <= f.calendar_quarter
    group by
        a.calendar_quarter, f.input_id, f.payload_id,
        case when a.calendar_quarter = f.calendar_quarter then 'capex' else 'trailing sum and growth' end
),

-- Growth of one year and the change of two read the same company's twelve months a year and two before; the sector's row
-- reads the hyperscalers' rows.
of_payoff as (
    select
        'divergence_capex_payoff' as table_name,
        r.subject || '|' || cast(r.calendar_quarter as varchar) as row_key,
        f.input_id,
        case when r.calendar_quarter = f.calendar_quarter then 'twelve months' else 'growth and change' end as feeds,
        min(f.first_period) as first_period,
        max(f.last_period) as last_period,
        sum(f.rows) as rows,
        f.payload_id
    from {{ ref('divergence_capex_payoff') }} as r
    inner join {{ ref('divergence_capex_payoff') }} as m
        on
            m.calendar_quarter in (
                r.calendar_quarter, r.calendar_quarter - interval 12 month, r.calendar_quarter - interval 24 month
            )
            and (r.subject = m.subject or (r.role = 'sector' and m.role = 'hyperscaler'))
    inner join of_filings as f
        on
            f.table_name = 'divergence_capex_payoff'
            and f.row_key = m.subject || '|' || cast(m.calendar_quarter as varchar)
    where r.role = 'sector' or r.calendar_quarter > m.calendar_quarter
    group by
        r.subject, r.calendar_quarter, f.input_id, f.payload_id,
        case when r.calendar_quarter = f.calendar_quarter then 'twelve months' else 'growth and change' end
),

of_records as (
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

entries as (
    select
        event_id,
        seed,
        case
            when document_number is not null then 'document ' || document_number
            else coalesce(federal_register_citation, proclamation_or_order)
        end as input_id,
        document_number,
        min(published_on) as published_on
    from {{ ref('int_policy_events__by_metal') }}
    group by event_id, seed, document_number, federal_register_citation, proclamation_or_order
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
            e.published_on as first_period,
            e.published_on as last_period,
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
),

level_0 as (
    select {{ columns }} from of_citations
    union all
    select {{ columns }} from of_documents
    union all
    select {{ columns }} from of_series
    union all
    select {{ columns }} from of_records
    union all
    select {{ columns }} from of_filings
    union all
    select {{ columns }} from of_capex
    union all
    select {{ columns }} from of_aggregate
    union all
    select {{ columns }} from of_payoff
    union all
    select {{ columns }} from of_publications
    union all
    select {{ columns }} from of_catalogue
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
