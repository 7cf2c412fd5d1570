-- What each indicator of the user's own claims read at every month end since the first figure of a decisive one, and reads on the as-of
-- date, from the vintages that were known on each of these days.
with rules as (
    select
        r.claim_id,
        r.indicator,
        r.role,
        r.series_id,
        r.transformation,
        r.months,
        s.frequency,
        s.first_period,
        case s.frequency when 'quarterly' then 3 when 'annual' then 12 when 'us_fiscal_year' then 12 else 1 end as step_months
    from {{ ref('stg_catalog__claim_indicators') }} as r
    inner join {{ ref('stg_catalog__series') }} as s on r.series_id = s.series_id
),

figures as (
    select
        f.series_id,
        f.period,
        f.value,
        f.known_at,
        f.superseded_at
    from {{ ref('base_observations__intervals') }} as f
    where f.series_id in (select r.series_id from rules as r)
),

-- A file of a declared new construction replaces all periods that it does not reach.
rewritten as (
    select
        f.series_id,
        min(f.known_at) as since,
        min(f.period) as first_period
    from figures as f
    inner join {{ ref('stg_catalog__series') }} as s on f.series_id = s.series_id
    where f.known_at >= s.rewritten_since
    group by f.series_id
),

first_figures as (
    select
        r.claim_id,
        min(f.known_at) as known_at
    from rules as r
    inner join figures as f on r.series_id = f.series_id
    where r.role = 'decisive'
    group by r.claim_id
),

months as (
    {{ month_spine('(select ' ~ month_of('min(known_at)') ~ ' from first_figures)', last_complete_month()) }}
),

days as (
    select
        f.claim_id,
        {{ month_end('m.month') }} as as_of
    from first_figures as f
    inner join months as m on f.known_at < {{ month_end('m.month') }} + interval 1 day
    union
    select
        claim_id,
        {{ as_of_date() }} as as_of
    from {{ ref('stg_catalog__claims') }}
),

-- Days and weeks as the mean of their month, which has to be whole: see the macro is_whole_month. Longer periods as they are.
monthly as (
    select
        d.claim_id,
        r.indicator,
        d.as_of,
        {{ month_of('f.period') }} as month,
        avg(f.value) as value,
        max(f.known_at) as known_at
    from days as d
    inner join rules as r on d.claim_id = r.claim_id
    inner join figures as f
        on
            r.series_id = f.series_id
            and f.known_at < d.as_of + interval 1 day
            and (f.superseded_at is null or f.superseded_at >= d.as_of + interval 1 day)
            -- What is older than two years before the window cannot be the newest figure that still counts.
            and f.period > {{ dbt.dateadd('month', '-24 - r.months', 'd.as_of') }}
            and f.period >= coalesce(r.first_period, f.period)
    left join rewritten as w on r.series_id = w.series_id and w.since < d.as_of + interval 1 day
    where f.period >= coalesce(w.first_period, f.period)
    group by d.claim_id, r.indicator, d.as_of, {{ month_of('f.period') }}, r.frequency
    having
        r.frequency not in ('daily', 'weekly')
        or (
            {{ month_end(month_of('f.period')) }} <= d.as_of
            and count(*) >= case r.frequency when 'daily' then {{ least_days_of_a_month() }} else 4 end
            and (r.frequency = 'weekly' or max(f.period) >= {{ month_end(month_of('f.period')) }} - interval 5 day)
        )
),

newest as (
    select
        claim_id,
        indicator,
        as_of,
        max(month) as month,
        max_by(value, month) as value
    from monthly
    group by claim_id, indicator, as_of
),

windows as (
    select
        n.claim_id,
        n.indicator,
        n.as_of,
        n.month,
        n.value,
        r.transformation,
        r.frequency,
        max(case when m.month = {{ dbt.dateadd('month', '-r.months', 'n.month') }} then m.value end) as earlier_value,
        avg(case when m.month > {{ dbt.dateadd('month', '-r.months', 'n.month') }} then m.value end) as mean_value,
        stddev_samp(case when m.month > {{ dbt.dateadd('month', '-r.months', 'n.month') }} then m.value end) as standard_deviation,
        100.0 * avg(
            case
                when m.month <= {{ dbt.dateadd('month', '-r.months', 'n.month') }} then null
                when m.value <= n.value then 1.0
                else 0.0
            end
        ) as percentile,
        -- A window may lack one figure in ten, such as the Januaries that China's statistical office leaves out.
        sum(case when m.month > {{ dbt.dateadd('month', '-r.months', 'n.month') }} then r.step_months else 0 end) >= 0.9 * r.months
            as is_whole,
        max(
            case
                when
                    m.month = n.month
                    or (r.transformation in ('zscore', 'percentile') and m.month > {{ dbt.dateadd('month', '-r.months', 'n.month') }})
                    or (r.transformation like 'change%' and m.month = {{ dbt.dateadd('month', '-r.months', 'n.month') }})
                    then m.known_at
            end
        ) as known_at
    from newest as n
    inner join rules as r on n.claim_id = r.claim_id and n.indicator = r.indicator
    inner join monthly as m on n.claim_id = m.claim_id and n.indicator = m.indicator and n.as_of = m.as_of
    group by n.claim_id, n.indicator, n.as_of, n.month, n.value, r.transformation, r.frequency, r.months
),

computed as (
    select
        claim_id,
        indicator,
        as_of,
        month as period,
        case when frequency in ('daily', 'weekly') then 'monthly' else frequency end as frequency,
        case
            when transformation = 'level' then value
            when transformation = 'change' then value - earlier_value
            when transformation = 'change_pct' then case when earlier_value > 0 then 100.0 * (value / earlier_value - 1) end
            when transformation = 'zscore' then case when is_whole then (value - mean_value) / nullif(standard_deviation, 0) end
            when transformation = 'percentile' then case when is_whole then percentile end
        end as value,
        known_at
    from windows
)

select
    d.claim_id,
    r.indicator,
    d.as_of,
    c.value,
    c.period,
    c.frequency,
    c.known_at
from days as d
inner join rules as r on d.claim_id = r.claim_id
left join computed as c on d.claim_id = c.claim_id and r.indicator = c.indicator and d.as_of = c.as_of and c.value is not null
