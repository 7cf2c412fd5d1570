-- Rows that rest on filings: a row names the accession numbers it was read from; sums, growth and ratios over years read those of
-- the quarters before too.
{{ config(materialized='view') }}
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
        'mart': 'capex_vintages',
        'company': 'company_id',
        'key': "concat_ws('|', company_id, cast(fiscal_year as varchar), cast(fiscal_quarter as varchar), cast(vintage_number as varchar))",
        'from': 'fiscal_quarter_start',
        'to': 'fiscal_quarter_end',
        'quarter': 'calendar_quarter',
        'concepts': ['capex'],
        'feeds': 'capex',
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
{% set columns = 'table_name, row_key, input_id, feeds, first_period, last_period, rows, payload_id' %}
with facts as (
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
)

select {{ columns }} from of_filings
union all
select {{ columns }} from of_capex
union all
select {{ columns }} from of_aggregate
union all
select {{ columns }} from of_payoff
