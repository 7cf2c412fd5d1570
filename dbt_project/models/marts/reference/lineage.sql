-- From a published row back to the payloads it was computed from. The inputs of each monthly mart are declared once, in the
-- seed lineage_inputs; the rest say it in their own rows. A row whose input has no figure in the window has no lineage to it.
{% set monthly_marts = ['driver_monetary', 'driver_china_cycle', 'driver_fiscal', 'divergence_money_ppi'] %}
with monthly_rows as (
    {% for mart in monthly_marts %}
        select
            '{{ mart }}' as table_name,
            cast(month as varchar) as row_key,
            month
        from {{ ref(mart) }}
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
    from monthly_rows as r
    inner join {{ ref('lineage_inputs') }} as i on r.table_name = i.table_name
),

prices as (
    select
        'metal_prices' as table_name,
        p.metal_id || '|' || p.frequency || '|' || cast(p.period as varchar) as row_key,
        p.series_id as input_id,
        w.feeds,
        case
            when w.window_months is null then date '1800-01-01'
            else cast({{ dbt.dateadd('month', '1 - w.window_months', 'p.period') }} as date)
        end as from_month,
        p.period as to_month
    from {{ ref('metal_prices') }} as p
    cross join (
        values (1, 'price'), (13, 'returns and volatility'), (cast(null as integer), 'z-score')
    ) as w (window_months, feeds)
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
        on r.month = p.period and p.frequency = 'monthly' and p.metal_id in ('gold', 'silver', 'platinum', 'copper')
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

windows as (
    select * from declared
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

-- A filing figure's inputs are the accession numbers in its row.
filed_rows as (
    select
        'driver_ai_capex' as table_name,
        company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar) as row_key,
        company_id,
        calendar_quarter,
        accession_numbers,
        fiscal_quarter_start,
        fiscal_quarter_end
    from {{ ref('driver_ai_capex') }}
    where accession_numbers is not null
),

facts as (
    select distinct
        t.company_id,
        f.accession,
        f.payload_id
    from {{ source('raw', 'filing_fact') }} as f
    inner join {{ source('raw', 'catalog_company_tag') }} as t
        on f.cik = t.cik and f.taxonomy = t.taxonomy and f.tag = t.tag and t.concept = 'capex'
    where {{ known_by_as_of('f.known_at') }}
),

of_filings as (
    select
        r.table_name,
        r.row_key,
        r.company_id || ' ' || f.accession as input_id,
        'capex' as feeds,
        r.calendar_quarter,
        r.fiscal_quarter_start as first_period,
        r.fiscal_quarter_end as last_period,
        cast(1 as bigint) as rows,
        f.payload_id
    from filed_rows as r
    inner join facts as f on r.company_id = f.company_id and position(f.accession in r.accession_numbers) > 0
),

-- The aggregate reads the quarter, the three before it (trailing sum) and the same quarter of the year before.
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
            a.calendar_quarter >= f.calendar_quarter
            and a.calendar_quarter - interval 12 month <= f.calendar_quarter
    group by
        a.calendar_quarter, f.input_id, f.payload_id,
        case when a.calendar_quarter = f.calendar_quarter then 'capex' else 'trailing sum and growth' end
),

of_marts as (
    select
        table_name,
        row_key,
        input_id,
        feeds,
        first_period,
        last_period,
        rows,
        payload_id
    from of_series
    union all
    select
        table_name,
        row_key,
        input_id,
        feeds,
        first_period,
        last_period,
        rows,
        payload_id
    from of_filings
    union all
    select
        table_name,
        row_key,
        input_id,
        feeds,
        first_period,
        last_period,
        rows,
        payload_id
    from of_aggregate
),

-- Evidence inherits the lineage of the row it was read from, a verdict that of its evidence.
of_evidence as (
    select
        'claim_evidence' as table_name,
        e.claim_id || '|' || e.indicator as row_key,
        m.input_id,
        m.feeds,
        m.first_period,
        m.last_period,
        m.rows,
        m.payload_id,
        e.claim_id
    from {{ ref('claim_evidence') }} as e
    inner join of_marts as m on e.source_table = m.table_name and e.source_key = m.row_key
),

of_verdicts as (
    select
        'claim_verdicts' as table_name,
        claim_id as row_key,
        input_id,
        feeds,
        min(first_period) as first_period,
        max(last_period) as last_period,
        max(rows) as rows,
        payload_id
    from of_evidence
    group by claim_id, input_id, feeds, payload_id
),

everything as (
    select * from of_marts
    union all
    select
        table_name,
        row_key,
        input_id,
        feeds,
        first_period,
        last_period,
        rows,
        payload_id
    from of_evidence
    union all
    select * from of_verdicts
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
