-- One figure for each period and vintage: the tag is chosen per period, because companies change tags midway.
with ranked as (
    select
        *,
        -- A recast restates years but not the quarters within them, so it stands in only where nothing else does.
        row_number() over (
            partition by company_id, concept, period_start, period_end, vintage
            order by is_recast, tag_rank, tag
        ) as choice,
        count(*) over (partition by company_id, concept, period_start, period_end, vintage) as candidate_count,
        min(value_usd) over (partition by company_id, concept, period_start, period_end, vintage) as candidate_lowest_usd,
        max(value_usd) over (partition by company_id, concept, period_start, period_end, vintage) as candidate_highest_usd
    from {{ ref('int_filing_periods__by_tag') }}
)

select
    company_id,
    concept,
    period_start,
    period_end,
    duration_days,
    vintage,
    value_usd,
    tag,
    tag_rank,
    is_recast,
    accession,
    form,
    filed,
    known_at,
    payload_id,
    candidate_count,
    candidate_lowest_usd,
    candidate_highest_usd,
    -- Past a thousandth it is no rounding from thousands to millions any more.
    candidate_highest_usd - candidate_lowest_usd > 0.001 * abs(value_usd) as candidates_disagree
from ranked
where choice = 1
