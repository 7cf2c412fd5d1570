-- C4 china_ppi: direction and timing apart, so that a right direction at another time shows as both.
-- Made on 2026-01-08, the statement speaks of a turn still to come: a change of sign before that month is not the one meant.
-- Until it happens, the distance from the stated month is at least what the next month to be published would give. Evidence of a turn
-- ages with the newest month that confirms it.
{% set stated_month = "date '2026-01-01'" %}
{% set predicted_month = "date '2026-10-01'" %}
with latest as (
    select
        *,
        case when ppi_yoy_pct > 0 and ppi_sign_since >= {{ stated_month }} then ppi_sign_since end as turned_in
    from {{ ref('driver_china_cycle') }}
    where ppi_yoy_pct is not null
    order by month desc
    limit 1
),

timed as (
    select
        *,
        case
            when turned_in is not null then {{ dbt.datediff(predicted_month, 'turned_in', 'month') }}
            else {{ dbt.datediff(predicted_month, 'month', 'month') }} + 1
        end as months_from_stated
    from latest
)

{{ evidence('C4', [
    {'indicator': 'ppi_yoy_pct'},
    {
        'indicator': 'months_from_stated_to_turn',
        'value': 'months_from_stated',
        'is_lower_bound': 'turned_in is null',
        'period': 'coalesce(turned_in, month)',
        'period_end': month_end('month'),
        'words': {
            'months_early': 'case when months_from_stated < 0 then -months_from_stated end',
            'months_late': 'case when months_from_stated > 0 then months_from_stated end',
        },
    },
], {'mart': 'driver_china_cycle', 'rows': 'timed'}) }}
