-- Every claim's evidence, one model per claim, with its finding: the sentence of claim_rules, filled in. A new claim is one more line
-- here, its model, and its rules in the seeds.
{% set claims = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'd1', 'd2', 'd3', 'd4', 's1', 's2', 's3'] %}
with evidence as (
    {% for claim in claims %}
        select * from {{ ref('int_claim_' ~ claim ~ '__evidence') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- A rule may have several sentences, ' | ' between them: the first whose facts are all known is the finding.
sentences as (
    select
        e.claim_id,
        e.indicator,
        e.facts,
        unnest(string_split(r.sentence, ' | ')) as sentence,
        generate_subscripts(string_split(r.sentence, ' | '), 1) as preference
    from evidence as e
    inner join {{ ref('claim_rules') }} as r on e.claim_id = r.claim_id and e.indicator = r.indicator
),

-- '{month:month} was {value:1} % of GDP' is three pieces: '', 'month:month} was ' and 'value:1} % of GDP'.
pieces as (
    select
        claim_id,
        indicator,
        facts,
        preference,
        unnest(string_split(sentence, '{')) as piece,
        generate_subscripts(string_split(sentence, '{'), 1) as place
    from sentences
),

slots as (
    select
        claim_id,
        indicator,
        preference,
        place,
        case when place > 1 then json_extract_string(facts, regexp_extract(piece, '^\w+')) end as fact,
        regexp_extract(piece, '^\w+([^}]*)}', 1) as form,
        case when place > 1 then split_part(piece, '}', 2) else piece end as words
    from pieces
),

filled as (
    select
        claim_id,
        indicator,
        preference,
        place,
        case when place > 1 then {{ fact_text('fact', 'form') }} || words else words end as piece
    from slots
),

told as (
    select
        claim_id,
        indicator,
        preference,
        string_agg(piece, '' order by place) as finding
    from filled
    group by claim_id, indicator, preference
    having count(*) = count(piece)
),

findings as (
    select
        claim_id,
        indicator,
        min_by(finding, preference) as finding
    from told
    group by claim_id, indicator
)

select
    e.claim_id,
    e.indicator,
    e.value,
    e.value_low,
    e.value_high,
    e.is_lower_bound,
    e.period,
    e.period_label,
    e.period_end,
    e.known_at,
    e.source_table,
    e.source_key,
    f.finding
from evidence as e
left join findings as f on e.claim_id = f.claim_id and e.indicator = f.indicator
