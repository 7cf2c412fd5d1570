-- Rows that rest on series: what a row reads is declared in the seed lineage_inputs, by subject (metal, country ...) and window of
-- months; prices, ratios, lead-lags, surveys, reconciliation and freshness name their series themselves. A row whose input has no
-- figure in the window has no lineage to it.
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
    {
        'mart': 'metal_volatility_drivers',
        'key': "family || '|' || sample || '|' || driver_id",
        'month': 'last_month as month',
        'subject': 'family',
    },
    {
        'mart': 'metal_volatility_drivers',
        'key': "family || '|' || sample || '|' || driver_id",
        'month': 'last_month as month',
        'subject': 'driver_id',
    },
    {'mart': 'divergence_money_ppi', 'key': 'cast(month as varchar)', 'month': 'month', 'subject': none},
    {'mart': 'ppi_nowcast', 'key': 'cast(horizon_months as varchar)', 'month': 'origin_month as month', 'subject': none},
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
    {
        'mart': 'fiscal_responses',
        'key': "outcome || '|' || cast(horizon_months as varchar)",
        'month': 'last_month as month',
        'subject': 'outcome',
    },
    {
        'mart': 'exposure_spreads',
        'key': "engine || '|' || sample",
        'month': 'last_month as month',
        'subject': none,
    },
    {
        'mart': 'analog_calibration',
        'key': "cast(reference_month as varchar) || '|' || indicator",
        'month': '(select max(reference_month) from ' ~ ref('analog_1970s') ~ ') as month',
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

quotations as (
    select
        'metal_quotations_usd' as table_name,
        metal_id || '|' || series_id || '|' || cast(period as varchar) as row_key,
        series_id as input_id,
        'price' as feeds,
        {{ month_of('period') }} as from_month,
        {{ month_of('period') }} as to_month
    from {{ ref('metal_quotations_usd') }}
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
        -- The year before it gives the growth.
        make_date(d.world_use_year - 1, 1, 1) as from_month,
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
    select * from quotations
    union all
    select * from ratios
    union all
    select * from lead_lags
),

distinct_windows as (
    select distinct
        input_id,
        from_month,
        to_month
    from windows
),

-- Many rows share a window, and a window may be long: its months are counted once.
spans as (
    select
        s.input_id,
        s.from_month,
        s.to_month,
        p.payload_id,
        min(p.first_period) as first_period,
        max(p.last_period) as last_period,
        sum(p.rows) as rows
    from distinct_windows as s
    inner join {{ ref('int_lineage__periods') }} as p
        on s.input_id = p.input_id and s.from_month <= p.month and s.to_month >= p.month
    group by s.input_id, s.from_month, s.to_month, p.payload_id
)

select
    w.table_name,
    w.row_key,
    w.input_id,
    w.feeds,
    min(s.first_period) as first_period,
    max(s.last_period) as last_period,
    sum(s.rows) as rows,
    s.payload_id
from windows as w
inner join spans as s on w.input_id = s.input_id and w.from_month = s.from_month and w.to_month = s.to_month
group by w.table_name, w.row_key, w.input_id, w.feeds, s.payload_id
