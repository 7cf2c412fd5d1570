-- Labour productivity against its trend. Growth on the year, its mean over the last two years, and as trend the mean of all
-- quarters since 2005 that lie before those two years: the boom of 1995 to 2004 was over by then (Fernald 2015), and the two
-- years under test stay out of the trend.
{% set trend_from = "date '2005-01-01'" %}
{% set min_trend_quarters = 20 %}
with grown as (
    select
        period as quarter,
        value as productivity_index,
        100.0 * (value / {{ months_earlier('value', 12, 'period') }} - 1) as yoy_pct,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_productivity_index'
),

judged as (
    select
        quarter,
        productivity_index,
        yoy_pct,
        {{ over_full_quarters('avg', 'yoy_pct', 8, 'quarter') }} as yoy_2y_mean_pct,
        avg(case when quarter >= {{ trend_from }} then yoy_pct end) over (
            order by quarter range between unbounded preceding and interval 24 month preceding
        ) as trend_mean_pct,
        count(case when quarter >= {{ trend_from }} then yoy_pct end) over (
            order by quarter range between unbounded preceding and interval 24 month preceding
        ) as trend_quarters,
        -- The index is revised back to its beginning, so a row is as new as the newest of all before it.
        max(known_at) over (order by quarter range between unbounded preceding and current row) as known_at
    from grown
)

select
    quarter,
    productivity_index,
    yoy_pct,
    yoy_2y_mean_pct,
    case when trend_quarters >= {{ min_trend_quarters }} then trend_mean_pct end as trend_pct,
    trend_quarters,
    case when trend_quarters >= {{ min_trend_quarters }} then yoy_2y_mean_pct - trend_mean_pct end as gap_pp,
    known_at
from judged
