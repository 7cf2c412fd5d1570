-- Releases expected in the coming {{ days | default(10) }} days: the end of each series' next periods and its publication lag, as the catalogue has them.
with as_of as (select max(as_of) as as_of from raw.build),

held as (
    select
        f.series_id,
        f.source_id,
        s.title,
        s.frequency,
        s.publication_lag_days,
        f.last_period,
        -- Daily figures a week or more apart are weekly reports.
        case
            when s.frequency <> 'daily' then null
            when f.rows > 1 and date_diff('day', f.first_period, f.last_period) >= 5 * (f.rows - 1) then 7
        end as step_days
    from data_freshness as f
    inner join series as s using (series_id)
    where f.last_period is not null
),

-- What is released every day is no date to wait for.
coming as (
    select
        *,
        unnest(generate_series(1, 120)) as ahead
    from held
    where frequency <> 'daily' or step_days = 7
),

dated as (
    select
        *,
        cast(
            case frequency
                when 'daily' then last_period + to_days(cast(7 * ahead as integer))
                when 'weekly' then last_period + to_days(cast(7 * ahead as integer))
                when 'monthly' then last_period + to_months(cast(ahead as integer))
                when 'quarterly' then last_period + to_months(cast(3 * ahead as integer))
                else last_period + to_months(cast(12 * ahead as integer))
            end as date
        ) as period
    from coming
),

-- An indicator has several channels: the release is that of the first.
channels as (
    select
        series_id,
        min(indicator_id) as indicator_id,
        min(candidate_rank) as candidate_rank
    from raw.catalog_indicator
    group by series_id
),

estimated as (
    select
        d.*,
        cast(
            case d.frequency
                when 'daily' then d.period
                when 'weekly' then d.period + interval 6 day
                when 'monthly' then d.period + interval 1 month - interval 1 day
                when 'quarterly' then d.period + interval 3 month - interval 1 day
                else d.period + interval 12 month - interval 1 day
            end as date
        ) + d.publication_lag_days as estimated_on
    from dated as d
),

-- Where the publisher's own day is on record, it counts; an estimate on a weekend is the Monday after.
released as (
    select
        e.*,
        coalesce(c.released_on, e.estimated_on + case isodow(e.estimated_on) when 6 then 2 when 7 then 1 else 0 end) as released_on
    from estimated as e
    left join raw.catalog_release as c on e.series_id = c.series_id and e.period = c.period
    left join channels as i on e.series_id = i.series_id
    qualify row_number() over (
        partition by coalesce(i.indicator_id, e.series_id), e.period
        order by i.candidate_rank, e.series_id
    ) = 1
),

-- A figure reaches claims and drivers under its own name or that of the indicator that it stands for.
inputs as (
    select
        series_id,
        indicator_id as input_id
    from raw.catalog_indicator
    union
    select
        series_id,
        series_id
    from series
),

-- Which claims and scores rest on a series, by the lineage of their figures.
rests as (
    select distinct
        i.series_id,
        case when l.table_name = 'claim_evidence' then split_part(l.row_key, '|', 1) end as claim_id,
        d.title as driver
    from lineage as l
    inner join inputs as i using (input_id)
    left join seeds.drivers as d on l.table_name = 'driver_scores' and split_part(l.row_key, '|', 2) = d.driver_id
    where l.table_name in ('claim_evidence', 'driver_scores')
),

borne as (
    select
        r.series_id,
        list(distinct r.claim_id) filter (where r.claim_id is not null) as claims,
        list(distinct coalesce(v.title || ' (' || r.claim_id || ')', r.claim_id)) filter (where r.claim_id is not null)
            as claim_titles,
        list(distinct r.driver) filter (where r.driver is not null) as drivers
    from rests as r
    left join claim_verdicts as v using (claim_id)
    group by r.series_id
)

select
    r.released_on,
    p.source_id,
    p.title as publisher,
    r.period,
    r.frequency,
    count(*) as series,
    array_to_string(list(r.title order by b.claims is null, r.title)[1:2], '; ')
    || case when count(*) > 2 then ' and ' || (count(*) - 2) || ' more' else '' end as titles,
    array_to_string(list_sort(list_distinct(flatten(list(b.claims) filter (where b.claims is not null)))), ', ') as claims,
    array_to_string(
        list_sort(list_distinct(flatten(list(b.claim_titles) filter (where b.claim_titles is not null)))), '; '
    ) as claim_titles,
    array_to_string(list_sort(list_distinct(flatten(list(b.drivers) filter (where b.drivers is not null)))), '; ') as drivers
from released as r
inner join sources as p using (source_id)
left join borne as b using (series_id)
cross join as_of as a
where r.released_on > a.as_of and r.released_on <= a.as_of + {{ days | default(10) }}
group by r.released_on, p.source_id, p.title, r.period, r.frequency
order by r.released_on, p.title, r.period
