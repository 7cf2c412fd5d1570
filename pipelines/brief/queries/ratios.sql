-- Ratios between prices, newest month, against their own history and a year before.
with ratios as (
    select
        unnest([
            {
                'place': 1, 'ratio': 'Gold to silver', 'unit': 'oz per oz', 'month': month,
                'value': gold_silver_ounces_per_ounce, 'zscore': gold_silver_zscore_expanding
            },
            {
                'place': 2, 'ratio': 'Copper to gold', 'unit': 'oz per t', 'month': month,
                'value': copper_gold_ounces_per_tonne, 'zscore': copper_gold_zscore_expanding
            },
            {
                'place': 3, 'ratio': 'Platinum to gold', 'unit': 'oz per oz', 'month': month,
                'value': platinum_gold_ounces_per_ounce, 'zscore': platinum_gold_zscore_expanding
            }
        ], recursive := true)
    from metal_ratios
    where true {{ and_not_own_use('metal_ratios', "month") }}
)

select
    n.ratio,
    n.month,
    n.value,
    n.unit,
    b.value as value_year_before,
    n.zscore
from ratios as n
left join ratios as b on n.place = b.place and b.month = n.month - interval 12 month
where n.value is not null
qualify n.month = max(n.month) over (partition by n.place)
order by n.place
