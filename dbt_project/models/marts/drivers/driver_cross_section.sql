-- How far the metals' composites lie apart, whether their order lasts, and how much of the highest ones is AI and fiscal.
-- Only months with at least six metals: fewer give neither a spread nor an order.
with composites as (
    select
        metal_id,
        month,
        composite,
        known_at
    from {{ ref('driver_composites') }}
    where composite is not null
    qualify count(*) over (partition by month) >= 6
),

spread as (
    select
        month,
        count(*) as metals,
        stddev_samp(composite order by metal_id) as composite_dispersion,
        max(known_at) as known_at
    from composites
    group by month
),

placed as (
    select
        now.month,
        now.metals,
        now.composite_dispersion,
        count(*) as months_so_far,
        100.0 * sum(case when before.composite_dispersion <= now.composite_dispersion then 1 else 0 end) / count(*)
            as dispersion_percentile_expanding,
        max(before.known_at) as known_at
    from spread as now
    inner join spread as before on now.month >= before.month
    group by now.month, now.metals, now.composite_dispersion
),

-- Spearman's rank correlation with twelve months before. Metals that had the same composite then and have it now are scored on
-- the same drivers: they count once, or an order of a few would look like one of many.
profiles as (
    select distinct
        now.month,
        now.composite,
        before.composite as composite_12m_before
    from composites as now
    inner join composites as before
        on
            now.metal_id = before.metal_id
            and cast({{ dbt.dateadd('month', -12, 'now.month') }} as date) = before.month
),

ranked_profiles as (
    select
        month,
        composite,
        {{ average_rank('composite', 'month') }} as rank_now,
        {{ average_rank('composite_12m_before', 'month') }} as rank_before
    from profiles
),

persistence as (
    select
        month,
        count(*) as profiles_compared,
        case when count(*) >= 6 then corr(rank_now, rank_before order by composite, rank_before) end as rank_correlation_12m
    from ranked_profiles
    group by month
),

top_three as (
    select
        metal_id,
        month
    from composites
    qualify row_number() over (partition by month order by composite desc, metal_id asc) <= 3
),

-- Signed against the size of all parts: a link that pulls down does not count as one that lifts.
top_parts as (
    select
        t.month,
        100 * sum(case when s.driver_group in ('ai', 'fiscal') then s.contribution else 0 end)
        / nullif(sum(abs(s.contribution)), 0) as ai_fiscal_share_of_top_pct,
        100 * sum(case when s.driver_group = 'ai' then s.contribution else 0 end)
        / nullif(sum(abs(s.contribution)), 0) as ai_share_of_top_pct
    from top_three as t
    inner join {{ ref('driver_scores') }} as s on t.metal_id = s.metal_id and t.month = s.month
    group by t.month
),

top_names as (
    select
        month,
        string_agg(metal_id, ', ' order by metal_id) as top_metals
    from top_three
    group by month
),

-- Without a score for both themes in the month the share would be of one of them only.
themes as (
    select
        month,
        count(distinct driver_group) as themes_available,
        count(case when driver_group = 'ai' then 1 end) > 0 as ai_is_available
    from {{ ref('driver_scores') }}
    where driver_group in ('ai', 'fiscal') and contribution is not null
    group by month
)

select
    p.month,
    cast(p.metals as integer) as metals,
    p.composite_dispersion,
    case when p.months_so_far >= 24 then p.dispersion_percentile_expanding end as dispersion_percentile_expanding,
    cast(coalesce(r.profiles_compared, 0) as integer) as profiles_compared,
    r.rank_correlation_12m,
    n.top_metals,
    case when t.themes_available = 2 then s.ai_fiscal_share_of_top_pct end as ai_fiscal_share_of_top_pct,
    case when t.ai_is_available then s.ai_share_of_top_pct end as ai_share_of_top_pct,
    p.known_at
from placed as p
left join persistence as r on p.month = r.month
left join top_names as n on p.month = n.month
left join top_parts as s on p.month = s.month
left join themes as t on p.month = t.month
