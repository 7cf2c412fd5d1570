-- Labour productivity against its trend, both as growth between two quarters, annualised: over the last two years, and from the
-- last quarter of 2004 to two years ago. The boom of 1995 to 2004 was over by then (Fernald 2015), and the two years under test
-- stay out of the trend. A mean of growth on the year would span a year more than it is called, with its ends counted less.
{% set trend_from = "date '2004-10-01'" %}
{% set min_trend_quarters = 20 %}
with grown as (
    select
        period as quarter,
        value as productivity_index,
        100.0 * (value / {{ months_earlier('value', 12, 'period') }} - 1) as yoy_pct,
        100.0 * (sqrt(value / {{ months_earlier('value', 24, 'period') }}) - 1) as growth_2y_annualised_pct,
        {{ months_earlier('value', 24, 'period') }} as index_2y_ago,
        max(case when period = {{ trend_from }} then value end) over () as index_at_trend_start,
        {{ dbt.datediff(trend_from, 'period', 'month') }} / 3 - 8 as trend_quarters,
        -- The index is revised back to its beginning, so a row is as new as the newest of all before it.
        max(known_at) over (order by period rows between unbounded preceding and current row) as known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_productivity_index'
),

judged as (
    select
        *,
        case
            when trend_quarters >= {{ min_trend_quarters }}
                then 100.0 * (power(index_2y_ago / index_at_trend_start, 4.0 / trend_quarters) - 1)
        end as trend_pct
    from grown
)

select
    quarter,
    productivity_index,
    yoy_pct,
    growth_2y_annualised_pct,
    trend_pct,
    cast(greatest(trend_quarters, 0) as integer) as trend_quarters,
    growth_2y_annualised_pct - trend_pct as gap_pp,
    known_at
from judged
