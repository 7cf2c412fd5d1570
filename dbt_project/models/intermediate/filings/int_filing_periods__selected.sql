-- One figure for each period, definition and basis. A basis is a run of editions that agree in every figure they share: it ends
-- where an edition changes one, a restatement. Facts of one basis may be added and subtracted; of two they may not. Figures as
-- first filed are a basis too, which ends where a restatement is material: it moves a figure by more than five per cent
-- (the usual first measure, SEC Staff Accounting Bulletin 99).
with ranked as (
    select
        t.*,
        d.definition_rank,
        -- Between tags of one definition the first of the chain.
        row_number() over (
            partition by
                t.company_id, t.concept, d.definition_rank, t.is_recast, t.period_start, t.period_end, t.report_year, t.wave
            order by t.tag_rank, t.tag
        ) as choice
    from {{ ref('int_filing_periods__by_tag') }} as t
    inner join {{ ref('int_filing_tags__definitions') }} as d
        on t.company_id = d.company_id and t.concept = d.concept and t.tag = d.tag
),

withheld as (
    select distinct
        company_id,
        concept,
        period_start,
        period_end
    from {{ ref('int_filing_facts__judged') }}
    where refusal is not null
),

followed as (
    select
        r.*,
        lag(r.value_usd) over (
            partition by r.company_id, r.concept, r.definition_rank, r.is_recast, r.period_start, r.period_end
            order by r.report_year, r.wave
        ) as value_before_usd,
        w.company_id is not null as is_withheld_elsewhere
    from ranked as r
    left join withheld as w
        on
            r.company_id = w.company_id
            and r.concept = w.concept
            and r.period_start = w.period_start
            and r.period_end = w.period_end
    where r.choice = 1
),

editions as (
    select
        company_id,
        concept,
        definition_rank,
        is_recast,
        report_year,
        wave,
        max(
            case
                when not {{ is_same_amount('value_usd', 'value_before_usd') }} then 1
                -- An amendment of a figure that is withheld cannot be told from a restatement.
                when wave > 0 and value_before_usd is null and is_withheld_elsewhere then 1
                else 0
            end
        ) as restates,
        max(case when abs(value_usd - value_before_usd) > 0.05 * abs(value_before_usd) then 1 else 0 end) as restates_materially
    from followed
    group by company_id, concept, definition_rank, is_recast, report_year, wave
),

bases as (
    -- From zero; as first filed from -1 downwards.
    {% set window = (
        'over (partition by company_id, concept, definition_rank, is_recast order by report_year, wave '
        ~ 'rows between unbounded preceding and current row)'
    ) %}
    select
        *,
        sum(restates) {{ window }} as basis,
        -1 - sum(restates_materially) {{ window }} as first_filed_basis
    from editions
)

select
    f.company_id,
    f.concept,
    f.definition_rank,
    f.is_recast,
    cast(b.basis as integer) as basis,
    case when f.vintage = 0 and f.wave = 0 and not f.is_recast then cast(b.first_filed_basis as integer) end as first_filed_basis,
    f.period_start,
    f.period_end,
    f.duration_days,
    f.report_year,
    f.vintage,
    f.wave,
    f.value_usd,
    f.tag,
    f.tag_rank,
    f.accession,
    f.form,
    f.filed,
    f.known_at,
    f.payload_id
from followed as f
inner join bases as b
    on
        f.company_id = b.company_id
        and f.concept = b.concept
        and f.definition_rank = b.definition_rank
        and f.is_recast = b.is_recast
        and f.report_year = b.report_year
        and f.wave = b.wave
-- Amendments that change nothing go with what they amend.
qualify
    row_number() over (
        partition by
            f.company_id, f.concept, f.definition_rank, f.is_recast, b.basis, f.period_start, f.period_end, f.report_year
        order by f.wave desc
    ) = 1
