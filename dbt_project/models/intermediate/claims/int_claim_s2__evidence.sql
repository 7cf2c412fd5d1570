-- S2 opportunities. The newest month with a figure for each part, from the cross-section of the metals' composites.
with spread as (
    select * from {{ ref('driver_cross_section') }}
    where dispersion_percentile_expanding is not null
    order by month desc
    limit 1
),

persistence as (
    select * from {{ ref('driver_cross_section') }}
    where rank_correlation_12m is not null
    order by month desc
    limit 1
),

links as (
    select * from {{ ref('driver_cross_section') }}
    where ai_fiscal_share_of_top_pct is not null
    order by month desc
    limit 1
),

ai_links as (
    select * from {{ ref('driver_cross_section') }}
    where ai_share_of_top_pct is not null
    order by month desc
    limit 1
)

select
    'S2' as claim_id,
    'composite_dispersion_percentile' as indicator,
    dispersion_percentile_expanding as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_cross_section' as source_table,
    cast(month as varchar) as source_key,
    'in ' || {{ month_text('month') }} || ' the composites of ' || cast(metals as varchar)
    || ' metals lay at least as far apart as in ' || {{ number_text('dispersion_percentile_expanding', 0) }}
    || ' % of the months so far' as finding
from spread

union all

select
    'S2' as claim_id,
    'composite_rank_correlation_12m' as indicator,
    rank_correlation_12m as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_cross_section' as source_table,
    cast(month as varchar) as source_key,
    'the order of ' || cast(profiles_compared as varchar) || ' different composites in ' || {{ month_text('month') }}
    || ' had a rank correlation of ' || {{ number_text('rank_correlation_12m', 2) }} || ' with twelve months before' as finding
from persistence

union all

select
    'S2' as claim_id,
    'ai_fiscal_share_of_top_pct' as indicator,
    ai_fiscal_share_of_top_pct as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_cross_section' as source_table,
    cast(month as varchar) as source_key,
    'of the scores of the three highest metals in ' || {{ month_text('month') }} || ' (' || top_metals || ') '
    || {{ number_text('ai_fiscal_share_of_top_pct', 0) }} || ' % came from AI and fiscal drivers' as finding
from links

union all

select
    'S2' as claim_id,
    'ai_share_of_top_pct' as indicator,
    ai_share_of_top_pct as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_cross_section' as source_table,
    cast(month as varchar) as source_key,
    'of the scores of the three highest metals in ' || {{ month_text('month') }} || ' (' || top_metals || ') '
    || {{ number_text('ai_share_of_top_pct', 0) }} || ' % came from AI capital expenditure alone' as finding
from ai_links
