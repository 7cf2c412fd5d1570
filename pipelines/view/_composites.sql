composites as (
    select * from driver_composites
    where true {{ and_not_own_use('driver_composites', "metal_id || '|' || month") }}
),

months as (
    select month from composites
    group by month
    having count(composite) * 2 >= count(*)
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
