-- Which tags of a concept are one definition: those that agree in every period that both have. A tag stands for the first of
-- the chain that it agrees with, else for itself. In one edition agreement is to rounding. Where one tag takes over from
-- another, the old figures stand under the old tag and, as comparatives, under the new one, often with a restatement: there
-- two per cent are allowed (Oracle's move to another tag with the revenue standard of 2018 changed quarters by up to 1.0).
{% set takeover_tolerance = 0.02 %}
with pairs as (
    select
        a.company_id,
        a.concept,
        b.tag,
        a.tag_rank as earlier_rank,
        a.period_start,
        a.period_end,
        coalesce(
            min(
                case
                    when a.report_year = b.report_year and a.wave = b.wave
                        then case when {{ is_same_amount('a.value_usd', 'b.value_usd') }} then 1 else 0 end
                end
            ),
            max(case when abs(a.value_usd - b.value_usd) <= {{ takeover_tolerance }} * abs(a.value_usd) then 1 else 0 end)
        ) as agrees
    from {{ ref('int_filing_periods__by_tag') }} as a
    inner join {{ ref('int_filing_periods__by_tag') }} as b
        on
            a.company_id = b.company_id
            and a.concept = b.concept
            and a.tag_rank < b.tag_rank
            and a.period_start = b.period_start
            and a.period_end = b.period_end
    group by a.company_id, a.concept, b.tag, a.tag_rank, a.period_start, a.period_end
),

compared as (
    select
        company_id,
        concept,
        tag,
        earlier_rank,
        count(*) as periods_compared,
        sum(1 - agrees) as periods_that_disagree
    from pairs
    group by company_id, concept, tag, earlier_rank
),

tags as (
    select distinct
        company_id,
        concept,
        tag,
        tag_rank
    from {{ ref('int_filing_periods__by_tag') }}
),

alike as (
    select
        company_id,
        concept,
        tag,
        min(case when periods_that_disagree = 0 then earlier_rank end) as definition_rank,
        sum(periods_compared) as periods_compared,
        sum(periods_that_disagree) as periods_that_disagree
    from compared
    group by company_id, concept, tag
)

select
    t.company_id,
    t.concept,
    t.tag,
    t.tag_rank,
    coalesce(a.definition_rank, t.tag_rank) as definition_rank,
    cast(coalesce(a.periods_compared, 0) as integer) as periods_compared,
    cast(coalesce(a.periods_that_disagree, 0) as integer) as periods_that_disagree
from tags as t
left join alike as a on t.company_id = a.company_id and t.concept = a.concept and t.tag = a.tag
