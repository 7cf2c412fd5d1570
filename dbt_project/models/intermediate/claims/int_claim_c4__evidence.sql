-- C4 china_ppi: direction and timing apart, so that a right direction at another time shows as both.
-- Made on 2026-01-08, the statement speaks of a turn still to come: a change of sign before that month is not the one meant.
-- Until it happens, the distance from the stated month is at least what the next month to be published would give.
{% set stated_month = "date '2026-01-01'" %}
{% set predicted_month = "date '2026-10-01'" %}
with latest as (
    select
        *,
        coalesce(ppi_yoy_pct > 0 and ppi_sign_since >= {{ stated_month }}, false) as has_turned
    from {{ ref('driver_china_cycle') }}
    where ppi_yoy_pct is not null
    order by month desc
    limit 1
),

timed as (
    select
        *,
        {{ dbt.datediff(predicted_month, 'ppi_sign_since', 'month') }} as months_from_stated_to_turn,
        {{ dbt.datediff(predicted_month, 'month', 'month') }} + 1 as least_months_from_stated
    from latest
)

select
    'C4' as claim_id,
    'ppi_yoy_pct' as indicator,
    ppi_yoy_pct as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_china_cycle' as source_table,
    cast(month as varchar) as source_key,
    case
        when has_turned
            then
                'direction held: positive since ' || {{ month_text('ppi_sign_since') }} || ', '
                || {{ number_text('ppi_yoy_pct') }} || ' % on the year in ' || {{ month_text('month') }}
        else 'producer prices were ' || {{ number_text('ppi_yoy_pct') }} || ' % on the year in ' || {{ month_text('month') }}
    end as finding
from timed

union all

select
    'C4' as claim_id,
    'months_from_stated_to_turn' as indicator,
    cast(case when has_turned then months_from_stated_to_turn else least_months_from_stated end as double) as value,
    not has_turned as is_lower_bound,
    case when has_turned then ppi_sign_since else month end as period,
    -- Evidence of a turn ages with the newest month that confirms it.
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_china_cycle' as source_table,
    cast(month as varchar) as source_key,
    case
        when not has_turned then 'the sign has not changed yet; the stated month is 2026-10'
        when months_from_stated_to_turn < 0
            then
                'the sign changed in ' || {{ month_text('ppi_sign_since') }} || ', '
                || cast(-months_from_stated_to_turn as varchar) || ' months earlier than stated (2026-10)'
        when months_from_stated_to_turn > 0
            then
                'the sign changed in ' || {{ month_text('ppi_sign_since') }} || ', '
                || cast(months_from_stated_to_turn as varchar) || ' months after the stated 2026-10'
        else 'the sign changed in the stated month, 2026-10'
    end as finding
from timed
