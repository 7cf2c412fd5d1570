-- The metals with the highest and the lowest composite, each with the group of drivers that does most to it; copper and gold;
-- and the span of the figures that are scored.
with composites as (
    select
        lower(m.name) as metal,
        c.*
    from driver_composites as c
    inner join metals as m using (metal_id)
    where true {{ and_not_own_use('driver_composites', "c.metal_id || '|' || c.month") }}
),

months as (
    select month from composites
    group by month
    having count(composite) * 2 >= count(*)
),

ranked as (
    select
        *,
        max(composite) over () as highest,
        min(composite) over () as lowest,
        unnest([
            {'name': 'fiscal', 'part': contribution_fiscal},
            {'name': 'monetary', 'part': contribution_monetary},
            {'name': 'China', 'part': contribution_china},
            {'name': 'AI', 'part': contribution_ai},
            {'name': 'trade', 'part': contribution_trade},
            {'name': 'geopolitics', 'part': contribution_geopolitics},
            {'name': 'positioning', 'part': contribution_positioning}
        ], recursive := true)
    from composites
    where composite is not null and month = (select max(month) from months)
),

-- Metals may share a composite: each is named.
ends as (
    select
        month,
        composite = highest as is_most,
        composite,
        string_agg(distinct metal, ', ' order by metal) as metals,
        arg_max(name, part * sign(composite)) as driver_group,
        arg_max(part, part * sign(composite)) as part
    from ranked
    where composite in (highest, lowest)
    group by month, composite, highest
),

scored as (
    select
        min(value_period) as figures_from_month,
        max(value_period) as figures_to_month
    from driver_scores
    where
        month = (select max(month) from months) and contribution is not null
        {{ and_not_own_use('driver_scores', "metal_id || '|' || driver_id || '|' || month") }}
)

select
    month,
    max(metals) filter (where is_most) as most,
    max(composite) filter (where is_most) as most_zscore,
    max(driver_group) filter (where is_most) as most_group,
    max(part) filter (where is_most) as most_group_zscore,
    max(metals) filter (where not is_most) as least,
    max(composite) filter (where not is_most) as least_zscore,
    max(driver_group) filter (where not is_most) as least_group,
    max(part) filter (where not is_most) as least_group_zscore,
    (select max(composite) from ranked where metal_id = 'copper') as copper_zscore,
    (select max(composite) from ranked where metal_id = 'gold') as gold_zscore,
    (select figures_from_month from scored) as figures_from_month,
    (select figures_to_month from scored) as figures_to_month
from ends
group by month
