-- How many claims have which verdict.
select
    verdict,
    count(*) as claims,
    string_agg(claim_id, ', ' order by claim_id) as claim_ids
from claim_verdicts
group by verdict
order by array_position(['supported', 'mixed', 'contradicted', 'undetermined', 'no_data'], verdict)
