-- What changed since the previous complete build, counted.
with builds as (
    select
        started_at,
        as_of,
        row_number() over (order by started_at desc) as newest_first
    from raw.build
    where succeeded and coalesce(selection, '') = ''
),

answers as (
    select *
    from raw.coverage
    where retrieved_at > coalesce((select started_at from builds where newest_first = 2), timestamp '1970-01-01')
)

select
    (select count(*) from audit.verdict_flips) as verdicts_flipped,
    (
        select count(*) from divergences
        where
            state_since = period
            and cast(known_at as date) > (select as_of from builds where newest_first = 2)
            {{ and_not_own_use('divergences', "divergence_id || '|' || subject") }}
    ) as divergences_changed,
    (select cast(coalesce(sum(rows_added), 0) as bigint) from answers) as rows_of_new_periods,
    (select cast(coalesce(sum(rows_changed), 0) as bigint) from answers) as rows_revised,
    (select count(distinct source_id) from answers where rows_added > 0 or rows_changed > 0) as publishers
