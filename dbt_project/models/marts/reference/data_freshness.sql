-- Everything is read as it stood at the end of the as-of date: figures, retrievals, payloads and quarantine.
with observed as (
    select
        series_id,
        count(*) as rows,
        min(period) as first_period,
        max(period) as last_period,
        max_by(payload_id, period) as payload_id
    from {{ ref('base_observations__as_of') }}
    group by series_id
),

held as (
    select
        o.*,
        p.request_key,
        p.origin,
        p.retrieved_at
    from observed as o
    left join {{ ref('stg_pipeline__payloads') }} as p on o.payload_id = p.payload_id
),

retrievals as (
    select
        source_id,
        request_key,
        outcome,
        checked_at,
        row_number() over (partition by source_id, request_key order by checked_at desc, outcome asc) as recency
    from {{ ref('stg_pipeline__retrievals') }}
    where {{ known_by_as_of('checked_at') }}
),

quarantined as (
    select
        series_id,
        count(*) as rows_quarantined
    from {{ ref('stg_pipeline__quarantine') }}
    where {{ known_by_as_of('quarantined_at') }}
    group by series_id
),

dated as (
    select
        s.series_id,
        s.source_id,
        s.frequency,
        s.staleness_limit_days,
        h.first_period,
        h.last_period,
        {{ period_end('h.last_period', 's.frequency') }} as last_period_end,
        coalesce(h.rows, 0) as rows,
        h.payload_id,
        -- A figure of an earlier month may count as known before its payload was fetched (publication lag):
        -- on such a day nothing had been fetched yet.
        case when {{ known_by_as_of('h.retrieved_at') }} then h.retrieved_at end as retrieved_at,
        h.origin,
        r.outcome,
        r.checked_at,
        -- The schedule runs on weekdays: a check older than the cadence and a weekend belongs to an earlier run.
        {{ dbt.datediff('r.checked_at', 'cast(' ~ as_of_date() ~ ' + interval 1 day as timestamp)', 'hour') }} <= c.cadence_hours + 72
            as checked_lately
    from {{ ref('stg_catalog__series') }} as s
    inner join {{ ref('stg_catalog__sources') }} as c on s.source_id = c.source_id
    left join held as h on s.series_id = h.series_id
    left join retrievals as r on s.source_id = r.source_id and h.request_key = r.request_key and r.recency = 1
)

select
    d.series_id,
    d.source_id,
    d.frequency,
    d.first_period,
    d.last_period,
    d.last_period_end,
    cast({{ dbt.datediff('d.last_period_end', as_of_date(), 'day') }} as integer) as age_days,
    cast(d.staleness_limit_days as integer) as staleness_limit_days,
    coalesce(
        {{ dbt.datediff('d.last_period_end', as_of_date(), 'day') }} > d.staleness_limit_days, true
    ) as is_stale,
    case
        when d.rows = 0 then 'none'
        when d.outcome in ('fresh', 'unchanged') and d.checked_lately then d.outcome
        when d.origin = 'bundled' then 'bundled'
        else 'kept'
    end as how,
    d.outcome as last_outcome,
    d.checked_at as last_checked_at,
    cast(d.rows as bigint) as rows,
    cast(coalesce(q.rows_quarantined, 0) as bigint) as rows_quarantined,
    d.payload_id,
    d.retrieved_at,
    {{ as_of_date() }} as as_of
from dated as d
left join quarantined as q on d.series_id = q.series_id
