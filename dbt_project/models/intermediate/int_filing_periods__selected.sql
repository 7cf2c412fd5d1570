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

followed as (
    select
        *,
        lag(value_usd) over (
            partition by company_id, concept, definition_rank, is_recast, period_start, period_end
            order by report_year, wave
        ) as value_before_usd
    from ranked
    where choice = 1
),

editions as (
    select
        company_id,
        concept,
        definition_rank,
        is_recast,
        report_year,
        wave,
        case
            -- Amendments that share no figure with what was filed before cannot be told from a restatement.
            when wave > 0 and count(value_before_usd) = 0 then 1
            else max(case when not {{ is_same_amount('value_usd', 'value_before_usd') }} then 1 else 0 end)
        end as restates,
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
