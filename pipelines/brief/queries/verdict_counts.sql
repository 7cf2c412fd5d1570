-- How many claims have which verdict.
select
    verdict,
    count(*) as claims
from claim_verdicts
group by verdict
order by array_position(['supported', 'mixed', 'contradicted', 'undetermined', 'no_data'], verdict)
