-- The state as published by the end of each month: for each part the newest figure that was out by then (by the catalogue's
-- publication lags) and not too old. The values are those known at the as-of date, revisions included.
with published as (
    select
        dimension,
        period,
        period_end,
        value,
        known_at,
        {{ published_by_month('period_end', 'publication_lag_days') }} as usable_from,
        {{ too_old_from_month('period_end', 'staleness_limit_days') }} as too_old_from
    from {{ ref('int_macro_state__readings') }}
),

intervals as (
    select
        *,
        least(too_old_from, coalesce(lead(usable_from) over (partition by dimension order by period), too_old_from)) as usable_to
    from published
),

months as (
    {{ month_spine("date '1960-01-01'", last_complete_month()) }}
)

select
    m.month,
    i.dimension,
    i.value,
    i.period,
    i.period_end,
    cast({{ dbt.datediff('i.period_end', month_end('m.month'), 'day') }} as integer) as age_days,
    i.known_at
from months as m
inner join intervals as i on m.month >= i.usable_from and m.month < i.usable_to
