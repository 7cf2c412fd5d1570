-- Each publisher: what is held of it, how it came, how old it is, and when it was last asked.
with held as (
    select
        source_id,
        -- Of filings and documents, which have no period; of series the end counts, below.
        max(last_period) filter (where not exists (select 1 from series as s where s.series_id = c.series_id)) as last_date,
        count(distinct series_id) as series_held
    from raw.coverage as c
    group by source_id
),

came as (
    select
        source_id,
        case when bool_or(origin = 'fetched') then 'fetched' else 'bundled' end as origin,
        max(retrieved_at) as retrieved_at
    from raw.payload
    group by source_id
),

aged as (
    select
        source_id,
        count(*) as series_expected,
        max(last_period_end) as last_period_end,
        count(*) filter (where is_stale and last_period is not null) as series_stale
    from data_freshness
    group by source_id
),

asked as (
    select
        source_id,
        max(checked_at) as last_asked_at,
        arg_max(outcome, checked_at) as last_outcome
    from raw.retrieval
    group by source_id
)

select
    s.source_id,
    s.title,
    case
        when h.source_id is null then 'missing'
        when coalesce(a.series_stale, 0) > 0 then 'stale'
        else 'current'
    end as state,
    c.origin,
    coalesce(a.last_period_end, h.last_date) as last_period_end,
    date_diff('day', coalesce(a.last_period_end, h.last_date), (select max(as_of) from claim_verdicts)) as age_days,
    a.series_expected,
    h.series_held,
    a.series_stale,
    c.retrieved_at,
    k.last_asked_at,
    k.last_outcome,
    s.licence_class,
    s.licence,
    s.credit,
    s.homepage
from sources as s
left join held as h using (source_id)
left join came as c using (source_id)
left join aged as a using (source_id)
left join asked as k using (source_id)
order by array_position(['current', 'stale', 'missing'], state), s.title
