-- Nominal fiscal quarters of every company, from the fiscal year end in the catalogue.
with digits as (
    select digit from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as d (digit)
),

quarter_numbers as (
    select fiscal_quarter from (values (1), (2), (3), (4)) as q (fiscal_quarter)
),

fiscal_years as (
    -- XBRL reporting began in 2009 and tags two or three earlier years as comparatives. The whole century: readers look up
    -- the periods of facts, and the calendar of another day would rebuild them all.
    select 2000 + 10 * tens.digit + ones.digit as fiscal_year
    from digits as tens
    cross join digits as ones
),

year_ends as (
    select
        company_id,
        cast(substr(fiscal_year_end, 1, 2) as integer) as year_end_month,
        cast(substr(fiscal_year_end, 4, 2) as integer) as year_end_day
    from {{ ref('stg_catalog__companies') }}
),

months as (
    -- Months since year 0 of: this quarter's end, the quarter's before, the fiscal year's before.
    select
        e.company_id,
        e.year_end_day,
        y.fiscal_year,
        q.fiscal_quarter,
        12 * y.fiscal_year + e.year_end_month - 1 - 3 * (4 - q.fiscal_quarter) as end_month,
        12 * y.fiscal_year + e.year_end_month - 1 - 3 * (5 - q.fiscal_quarter) as previous_end_month,
        12 * y.fiscal_year + e.year_end_month - 1 - 12 as previous_year_end_month
    from year_ends as e
    cross join fiscal_years as y
    cross join quarter_numbers as q
),

ends as (
    select
        company_id,
        fiscal_year,
        fiscal_quarter,
        {{ fiscal_month_end('end_month', 'year_end_day') }} as quarter_end,
        {{ fiscal_month_end('previous_end_month', 'year_end_day') }} as previous_quarter_end,
        {{ fiscal_month_end('previous_year_end_month', 'year_end_day') }} as previous_year_end
    from months
),

quarters as (
    select
        company_id,
        fiscal_year,
        fiscal_quarter,
        4 * fiscal_year + fiscal_quarter as quarter_index,
        cast(previous_year_end + interval 1 day as date) as fiscal_year_start,
        cast(previous_quarter_end + interval 1 day as date) as quarter_start,
        quarter_end
    from ends
)

select
    company_id,
    fiscal_year,
    fiscal_quarter,
    quarter_index,
    fiscal_year_start,
    quarter_start,
    quarter_end,
    {{ calendar_quarter_of('quarter_start', 'quarter_end') }} as calendar_quarter
from quarters
