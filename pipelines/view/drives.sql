-- The metals with the highest and the lowest composite, each with the group of drivers that does most to it; copper and gold;
-- and the span of the figures that are scored.
with {% include '_composites.sql' %},

ranked as (
    select
        lower(m.name) as metal,
        c.*,
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
    from composites as c
    inner join metals as m using (metal_id)
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
