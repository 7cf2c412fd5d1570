-- What changed since the previous complete build, counted.
with newest as (
    select * from raw.build
    order by started_at desc
    limit 1
),

previous as (
    select b.* from raw.build as b
    cross join newest as n
    where b.succeeded and coalesce(b.selection, '') = '' and b.started_at < n.started_at and b.as_of <= n.as_of
    order by b.started_at desc
    limit 1
),

answers as (
    select *
    from raw.coverage
    where retrieved_at > coalesce((select started_at from previous), timestamp '1970-01-01')
)

select
    (select count(*) from audit.verdict_flips) as verdicts_flipped,
    (
        select count(*) from divergences
        where
            state_since = period
            and cast(known_at as date) > (select as_of from previous)
            {{ and_not_own_use('divergences', "divergence_id || '|' || subject") }}
    ) as divergences_changed,
    (select cast(coalesce(sum(rows_added), 0) as bigint) from answers) as rows_of_new_periods,
    (select cast(coalesce(sum(rows_changed), 0) as bigint) from answers) as rows_revised,
    (select count(distinct source_id) from answers where rows_added > 0 or rows_changed > 0) as publishers
