-- A view, as claim_verdict_history. What happened after each past verdict of a claim that says something of the future, by the bars of
-- the seed claim_outcomes. An outcome is the figure of the month, quarter or year that had just ended on the due day: no later one stands
-- in for it, and one that is not published yet is not_yet.
{{ config(materialized='view') }}
with measures as (
    select distinct
        measure,
        frequency
    from {{ ref('int_claim_outcomes__measured') }}
),

due as (
    select
        h.claim_id,
        h.as_of,
        h.verdict,
        o.says_of_the_future,
        o.measure,
        o.is_change,
        o.horizon_months,
        o.unit,
        o.supported_comparison,
        o.supported_bar,
        o.contradicted_comparison,
        o.contradicted_bar,
        {{ month_end(dbt.dateadd('month', 'o.horizon_months', month_of('h.as_of'))) }} as due_on,
        m.frequency
    from {{ ref('stg_pipeline__claim_verdicts') }} as h
    inner join {{ ref('claim_outcomes') }} as o on h.claim_id = o.claim_id
    left join measures as m on o.measure = m.measure
    where o.measure is not null and h.as_of <= {{ as_of_date() }}
),

measured as (
    select
        d.*,
        {{ period_ended_by('d.due_on', 'd.frequency') }} as due_period,
        b.value as base_value,
        b.source_key as base_key,
        f.value as due_value,
        case when d.is_change then f.value - b.value else f.value end as outcome_value,
        case when d.is_change then greatest(f.known_at, b.known_at) else f.known_at end as outcome_known_at,
        coalesce(f.source_table, b.source_table) as source_table,
        f.source_key as due_key
    from due as d
    left join {{ ref('int_claim_outcomes__measured') }} as b
        on
            d.is_change
            and d.measure = b.measure
            and b.period = {{ period_ended_by('d.as_of', 'd.frequency') }}
    left join {{ ref('int_claim_outcomes__measured') }} as f
        on
            d.measure = f.measure
            and f.period = {{ period_ended_by('d.due_on', 'd.frequency') }}
            and d.due_on <= {{ as_of_date() }}
)

select
    claim_id,
    as_of,
    verdict,
    says_of_the_future,
    measure,
    unit,
    is_change,
    due_on,
    due_period,
    base_value,
    due_value,
    outcome_value,
    outcome_known_at,
    case
        when verdict not in ('supported', 'contradicted') then 'no_call'
        when outcome_value is null then 'not_yet'
        when
            {% for call in ['supported', 'contradicted'] %}
                {% for sign, comparison in [('gt', '>'), ('gte', '>='), ('lt', '<'), ('lte', '<=')] %}
                    (verdict = '{{ call }}' and {{ call }}_comparison = '{{ sign }}' and outcome_value {{ comparison }} {{ call }}_bar)
                    {% if not loop.last %}or{% endif %}
                {% endfor %}
                {% if not loop.last %}or{% endif %}
            {% endfor %}
            then 'hit'
        else 'miss'
    end as score,
    source_table,
    base_key,
    due_key
from measured
