-- Claims whose verdict differs from the last published one, with the first figure that explains today's.
select
    f.claim_id,
    v.title,
    f.verdict_before,
    f.verdict_after,
    arg_min(
        e.finding,
        array_position(
            case f.verdict_after
                when 'supported' then ['supports', 'neutral', 'contradicts']
                when 'contradicted' then ['contradicts', 'neutral', 'supports']
                when 'mixed' then ['contradicts', 'supports', 'neutral']
                else ['too old', 'missing', 'neutral']
            end,
            case when e.is_stale then 'too old' else e.reading end
        )
        || e.indicator
    ) as why
from audit.verdict_flips as f
inner join claim_verdicts as v using (claim_id)
left join claim_evidence as e
    on
        f.claim_id = e.claim_id and e.role = 'decisive'
        {{ and_not_own_use('claim_evidence', "e.claim_id || '|' || e.indicator") }}
group by f.claim_id, v.title, f.verdict_before, f.verdict_after
order by f.claim_id
