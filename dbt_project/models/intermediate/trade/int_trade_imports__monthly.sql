-- US imports by metal and group of products; twelve-month sums only of twelve published months.
with monthly as (
    select
        p.metal_id,
        p.product_group,
        o.period as month,
        max(case when o.series_id = p.value_series_id then o.value end) as imports_usd,
        max(case when o.series_id = p.weight_series_id then o.value end) / 1000 as imports_tonnes,
        max(o.known_at) as known_at
    from {{ ref('base_observations__as_of') }} as o
    inner join {{ ref('import_products') }} as p on o.series_id in (p.value_series_id, p.weight_series_id)
    group by p.metal_id, p.product_group, o.period
)

select
    metal_id,
    product_group,
    month,
    imports_usd,
    imports_tonnes,
    {{ over_full_months('sum', 'imports_usd', 12, 'month', 'metal_id, product_group') }} as imports_12m_usd,
    {{ over_full_months('sum', 'imports_tonnes', 12, 'month', 'metal_id, product_group') }} as imports_12m_tonnes,
    max(known_at) over {{ last_months(12, 'month', 'metal_id, product_group') }} as known_at
from monthly
