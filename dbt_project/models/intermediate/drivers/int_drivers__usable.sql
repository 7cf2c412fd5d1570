-- Each driver as it could be used at the end of each month: the newest reading that was out by then, with its z-score against
-- all readings up to it. A reading is out `publication_lag_months` after the month it ends in and stands until the next one.
with placed as (
    select
        r.driver_id,
        r.metal_id,
        r.period,
        r.value,
        r.known_at,
        d.min_readings,
        d.publication_lag_months,
        d.staleness_limit_months,
        {{ month_of(period_end('r.period', 'd.frequency')) }} as last_month
    from {{ ref('int_drivers__readings') }} as r
    inner join {{ ref('drivers') }} as d on r.driver_id = d.driver_id
),

-- Of several readings that end in one month (weekly ones) the last stands for it.
of_months as (
    select * from placed
    qualify row_number() over (partition by driver_id, metal_id, last_month order by period desc) = 1
),

scored as (
    select
        driver_id,
        metal_id,
        period,
        value,
        last_month,
        staleness_limit_months,
        min_readings,
        {{ expanding_zscore('value', 'last_month', 'driver_id, metal_id', 'min_readings') }} as zscore,
        -- The score uses every reading so far, so it becomes known with the last of them.
        max(known_at) over (
            partition by driver_id, metal_id order by last_month rows between unbounded preceding and current row
        ) as known_at,
        cast({{ dbt.dateadd('month', 'publication_lag_months', 'last_month') }} as date) as usable_from
    from of_months
),

followed as (
    select
        *,
        lead(usable_from) over (partition by driver_id, metal_id order by last_month) as next_usable_from
    from scored
),

months as (
    {{ month_spine('(select min(usable_from) from followed)', last_complete_month()) }}
),

dated as (
    select
        f.*,
        m.month,
        {{ dbt.datediff('f.last_month', 'm.month', 'month') }} as staleness_months
    from followed as f
    inner join months as m
        on f.usable_from <= m.month and (f.next_usable_from is null or f.next_usable_from > m.month)
)

select
    driver_id,
    metal_id,
    month,
    period as value_period,
    cast(staleness_months as integer) as staleness_months,
    case when staleness_months <= staleness_limit_months then value end as value,
    case when staleness_months <= staleness_limit_months then zscore end as zscore,
    case
        when staleness_months > staleness_limit_months
            then
                'stale: the newest figure is ' || cast(staleness_months as varchar) || ' months old, the limit is '
                || cast(staleness_limit_months as varchar)
        when zscore is null
            then 'fewer than ' || cast(min_readings as varchar) || ' figures, or all alike: no z-score'
    end as gap_reason,
    known_at
from dated
