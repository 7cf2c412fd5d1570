-- A view, so that the last verdict that could be given is that of the history as it stands: its months are computed after the models
-- (pipelines.transform.history), from this model run for each day, and hold no last verdict of their own.
{{ config(materialized='view') }}
with {{ verdicts_of(ref('claim_evidence'), ['claim_id']) }},

last_decided as (
    select
        claim_id,
        max_by(verdict, as_of) as verdict,
        max(as_of) as as_of
    from {{ ref('int_claims__verdict_history') }}
    where as_of <= {{ as_of_date() }} and verdict in ('supported', 'contradicted', 'mixed')
    group by claim_id
),

every_claim as (
    select
        claim_id,
        name,
        title,
        statement,
        'project' as defined_in
    from {{ ref('claims') }}
    union all
    select
        claim_id,
        name,
        upper(substr(name, 1, 1)) || replace(substr(name, 2), '_', ' ') as title,
        statement,
        'overlay' as defined_in
    from {{ ref('stg_catalog__claims') }}
),

given as (
    select
        c.claim_id,
        c.name,
        c.title,
        c.statement,
        c.defined_in,
        coalesce(v.verdict, 'no_data') as verdict,
        v.lines,
        v.because,
        v.decisive_indicators,
        v.decisive_supporting,
        v.decisive_contradicting,
        v.decisive_missing_or_stale,
        v.decisive_ageing,
        v.decidable_until,
        v.known_at
    from every_claim as c
    left join verdicts_given as v on c.claim_id = v.claim_id
)

select
    g.claim_id,
    g.name,
    g.title,
    g.statement,
    g.verdict,
    g.lines,
    coalesce(g.because, 'Its inputs are not in the warehouse yet.') as because,
    coalesce(g.decisive_indicators, 0) as decisive_indicators,
    coalesce(g.decisive_supporting, 0) as decisive_supporting,
    coalesce(g.decisive_contradicting, 0) as decisive_contradicting,
    coalesce(g.decisive_missing_or_stale, 0) as decisive_missing_or_stale,
    coalesce(g.decisive_ageing, 0) as decisive_ageing,
    g.decidable_until,
    case when g.verdict in ('supported', 'contradicted', 'mixed') then g.verdict else d.verdict end as last_verdict,
    case when g.verdict in ('supported', 'contradicted', 'mixed') then {{ as_of_date() }} else d.as_of end as last_verdict_on,
    g.known_at,
    {{ as_of_date() }} as as_of,
    g.defined_in
from given as g
left join last_decided as d on g.claim_id = d.claim_id
