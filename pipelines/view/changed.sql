-- What changed since the complete build before.
with {% include '_builds.sql' %},

answers as (
    select * from raw.coverage
    where retrieved_at > coalesce((select started_at from previous), timestamp '1970-01-01')
)

select
    (select count(*) from audit.build_diff where rows_before is not null) = 0 as is_first,
    (select finished_at from previous) as since,
    (
        select
            string_agg(
                coalesce(v.title || ' (' || f.claim_id || ')', f.claim_id)
                || ' from ' || replace(coalesce(f.verdict_before, 'none'), '_', ' ')
                || ' to ' || replace(coalesce(f.verdict_after, 'none'), '_', ' '),
                '; ' order by f.claim_id
            )
        from audit.verdict_flips as f
        left join claim_verdicts as v using (claim_id)
    ) as flips,
    (
        select count(*) from audit.divergence_changes
        where true {{ and_not_own_use('divergences', "divergence_id || '|' || subject") }}
    ) as divergences_changed,
    cast(coalesce(sum(rows_added), 0) as bigint) as figures_new,
    cast(coalesce(sum(rows_changed), 0) as bigint) as figures_revised,
    count(distinct source_id) filter (where rows_added > 0 or rows_changed > 0) as publishers
from answers
