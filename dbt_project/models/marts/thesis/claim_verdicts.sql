-- A view, so that the last verdict that could be given is that of the history as it stands: its months are computed after the models
-- (pipelines.transform.history), from this model run for each day, and hold no last verdict of their own.
{{ config(materialized='view') }}
-- One verdict rule for every claim (macro claim_verdict), from decisive evidence alone; supporting evidence is shown and not counted.
with by_line as (
    select
        claim_id,
        line,
        count(*) as decisive,
        sum(case when reading <> 'missing' then 1 else 0 end) as known,
        sum(case when reading <> 'missing' and not is_stale then 1 else 0 end) as fresh,
        sum(case when reading = 'missing' or is_stale then 1 else 0 end) as open_count,
        sum(case when reading = 'supports' and not is_stale then 1 else 0 end) as supporting,
        sum(case when reading = 'contradicts' and not is_stale then 1 else 0 end) as contradicting,
        sum(case when is_ageing then 1 else 0 end) as ageing,
        min(counts_until) as all_count_until,
        max(case when reading = 'supports' then counts_until end) as supports_until,
        max(case when reading = 'contradicts' then counts_until end) as contradicts_until,
        max(case when not is_stale then known_at end) as known_at
    from {{ ref('claim_evidence') }}
    where role = 'decisive'
    group by claim_id, line
),

counted as (
    select
        claim_id,
        sum(decisive) as decisive,
        sum(known) as known,
        sum(fresh) as fresh,
        sum(open_count) as open_count,
        sum(supporting) as supporting,
        sum(contradicting) as contradicting,
        sum(ageing) as ageing,
        min(all_count_until) as all_count_until,
        max(supports_until) as supports_until,
        max(contradicts_until) as contradicts_until,
        max(known_at) as known_at
    from by_line
    group by claim_id
),

lines as (
    select
        claim_id,
        string_agg(line || ': ' || verdict, '; ' order by line) as lines
    from (
        select
            claim_id,
            line,
            {{ claim_verdict('known', 'fresh', 'supporting', 'contradicting', 'open_count') }} as verdict
        from by_line
        where line is not null
    ) as judged
    group by claim_id
),

grouped as (
    select
        claim_id,
        case
            when reading = 'missing' and role = 'supporting' then 8
            when is_stale and role = 'supporting' then 7
            when reading = 'missing' then 5
            when is_stale then 4
            when role = 'supporting' then 6
            when reading = 'supports' then 1
            when reading = 'contradicts' then 2
            else 3
        end as position,
        indicator,
        case when reading <> 'missing' and not is_stale and role = 'supporting' then reading || ': ' else '' end
        || finding
        || case
            when is_stale then ' (' || cast(age_days as varchar) || ' days old)'
            when is_ageing then ' (ageing, ' || cast(age_days as varchar) || ' days old)'
            else ''
        end as finding
    from {{ ref('claim_evidence') }}
),

headed as (
    select
        claim_id,
        position,
        case position
            when 1 then 'Supports: '
            when 2 then 'Contradicts: '
            when 3 then 'Not decided: '
            when 4 then 'Too old to count: '
            when 5 then 'Missing: '
            when 6 then 'Beside the rule: '
            when 7 then 'Beside the rule, too old: '
            else 'Beside the rule, missing: '
        end || string_agg(finding, '; ' order by indicator) || '.' as sentence
    from grouped
    group by claim_id, position
),

told as (
    select
        claim_id,
        string_agg(sentence, ' ' order by position) as because
    from headed
    group by claim_id
),

last_decided as (
    select
        claim_id,
        max_by(verdict, as_of) as verdict,
        max(as_of) as as_of
    from {{ ref('stg_pipeline__claim_verdicts') }}
    where as_of <= {{ as_of_date() }} and verdict in ('supported', 'contradicted', 'mixed')
    group by claim_id
),

given as (
    select
        c.claim_id,
        c.name,
        c.statement,
        {{ claim_verdict('n.known', 'n.fresh', 'n.supporting', 'n.contradicting', 'n.open_count') }} as verdict,
        l.lines,
        t.because,
        n.decisive,
        n.supporting,
        n.contradicting,
        n.open_count,
        n.ageing,
        n.all_count_until,
        least(n.supports_until, n.contradicts_until) as both_count_until,
        n.known_at
    from {{ ref('claims') }} as c
    left join counted as n on c.claim_id = n.claim_id
    left join told as t on c.claim_id = t.claim_id
    left join lines as l on c.claim_id = l.claim_id
)

select
    g.claim_id,
    g.name,
    g.statement,
    g.verdict,
    g.lines,
    coalesce(g.because, 'Its inputs are not in the warehouse yet.') as because,
    cast(coalesce(g.decisive, 0) as integer) as decisive_indicators,
    cast(coalesce(g.supporting, 0) as integer) as decisive_supporting,
    cast(coalesce(g.contradicting, 0) as integer) as decisive_contradicting,
    cast(coalesce(g.open_count, 0) as integer) as decisive_missing_or_stale,
    cast(coalesce(g.ageing, 0) as integer) as decisive_ageing,
    -- Conflict needs one of each kind; every other verdict needs all the evidence it has.
    case g.verdict when 'mixed' then g.both_count_until else g.all_count_until end as decidable_until,
    case when g.verdict in ('supported', 'contradicted', 'mixed') then g.verdict else d.verdict end as last_verdict,
    case when g.verdict in ('supported', 'contradicted', 'mixed') then {{ as_of_date() }} else d.as_of end as last_verdict_on,
    g.known_at,
    {{ as_of_date() }} as as_of
from given as g
left join last_decided as d on g.claim_id = d.claim_id
