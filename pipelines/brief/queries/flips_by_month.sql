-- Verdicts that changed between month ends of the last twelve, with the figures whose reading changed with them.
with readings as (
    select
        as_of,
        claim_id,
        finding,
        case when is_stale then 'too old' else reading end as reading,
        lag(case when is_stale then 'too old' else reading end)
            over (partition by claim_id, indicator order by as_of) as reading_before
    from claim_evidence_history
    where role = 'decisive' {{ and_not_own_use('claim_evidence', "claim_id || '|' || indicator") }}
),

why as (
    select
        r.as_of,
        r.claim_id,
        arg_min(
            r.finding,
            array_position(
                case
                    when h.verdict in ('undetermined', 'no_data')
                        then ['too old', 'missing', 'neutral', 'contradicts', 'supports']
                    else ['contradicts', 'supports', 'neutral', 'missing', 'too old']
                end,
                r.reading
            )
            || r.finding
        ) as why,
        count(*) as readings_changed
    from readings as r
    inner join claim_verdict_history as h on r.as_of = h.as_of and r.claim_id = h.claim_id
    where r.reading is distinct from r.reading_before
    group by r.as_of, r.claim_id
)

select
    h.as_of as month,
    h.claim_id,
    c.title,
    h.verdict_month_before as verdict_before,
    h.verdict as verdict_after,
    w.why,
    w.readings_changed
from claim_verdict_history as h
inner join claim_verdicts as c using (claim_id)
left join why as w on h.as_of = w.as_of and h.claim_id = w.claim_id
where
    h.has_flipped
    and h.as_of > c.as_of - interval 12 month
    -- From one open question to another is no news.
    and not (h.verdict in ('undetermined', 'no_data') and h.verdict_month_before in ('undetermined', 'no_data'))
order by h.as_of desc, h.claim_id
