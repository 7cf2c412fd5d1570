-- The period of each producer that is used for a calendar quarter: a trailing year for the quarter it ends in; the year of a
-- filer of annual reports only for that quarter and at most the three after it.
with standing as (
    select
        p.sector,
        p.company_id,
        p.fiscal_year,
        p.fiscal_quarter,
        p.calendar_quarter as own_quarter,
        cast(
            unnest(
                generate_series(
                    p.calendar_quarter,
                    p.calendar_quarter + case when p.reporting = 'year' then interval 9 month else interval 0 month end,
                    interval 3 month
                )
            ) as date
        ) as calendar_quarter
    from {{ ref('divergence_capacity_clearance') }} as p
)

select
    sector,
    calendar_quarter,
    company_id,
    fiscal_year,
    fiscal_quarter,
    company_id || '|' || cast(fiscal_year as varchar) || '|' || cast(fiscal_quarter as varchar) as producer_key
from standing
where {{ period_end('calendar_quarter', "'quarterly'") }} <= {{ as_of_date() }}
-- The next year replaces it once it is known.
qualify row_number() over (partition by company_id, calendar_quarter order by own_quarter desc) = 1
