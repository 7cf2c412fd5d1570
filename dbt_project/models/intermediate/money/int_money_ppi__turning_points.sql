-- Turning points of the M1-M2 growth gap by an amplitude filter: an extreme counts once the gap has moved at least
-- 2 percentage points away from it, and is dated by its own month but known only from the month that confirmed it.
-- 2 points are a stated choice: twice the median monthly change of the gap (0.9 points) and a third of its standard deviation
-- (5.9; 2008 to July 2026). It does not remove the shifts of the lunar new year: some turns in January and February are
-- those. On three-month means the fall since September 2025 comes to 1.97 points and would just not count.
-- Each month uses the months up to it only, one step of the recursion per month: no look-ahead.
{% set reversal_pp = 2 %}
with recursive months as (
    select
        month,
        m1_m2_gap_pp as gap_pp,
        row_number() over (order by month) as step
    from {{ ref('driver_china_cycle') }}
    where m1_m2_gap_pp is not null
),

-- heading: 1 rising since a trough, -1 falling since a peak, 0 before the first turning point.
walk as (
    select
        step,
        month,
        0 as heading,
        gap_pp as high_pp,
        month as high_month,
        gap_pp as low_pp,
        month as low_month,
        cast(null as date) as turning_point_month,
        cast(null as varchar) as turning_point_kind,
        cast(null as double) as turning_point_gap_pp,
        cast(null as date) as turning_point_confirmed_month
    from months
    where step = 1

    union all

    select
        n.step,
        n.month,
        case n.turn when 'peak' then -1 when 'trough' then 1 else n.heading end as heading,
        -- After a peak the next high is looked for from the confirming month on, and likewise for troughs.
        case n.turn when 'none' then n.high_pp else n.gap_pp end as high_pp,
        case n.turn when 'none' then n.high_month else n.month end as high_month,
        case n.turn when 'none' then n.low_pp else n.gap_pp end as low_pp,
        case n.turn when 'none' then n.low_month else n.month end as low_month,
        case n.turn when 'peak' then n.high_month when 'trough' then n.low_month else n.turning_point_month end
            as turning_point_month,
        case n.turn when 'none' then n.turning_point_kind else n.turn end as turning_point_kind,
        case n.turn when 'peak' then n.high_pp when 'trough' then n.low_pp else n.turning_point_gap_pp end
            as turning_point_gap_pp,
        case n.turn when 'none' then n.turning_point_confirmed_month else n.month end as turning_point_confirmed_month
    from (
        select
            m.step,
            m.month,
            m.gap_pp,
            w.heading,
            greatest(w.high_pp, m.gap_pp) as high_pp,
            case when m.gap_pp >= w.high_pp then m.month else w.high_month end as high_month,
            least(w.low_pp, m.gap_pp) as low_pp,
            case when m.gap_pp <= w.low_pp then m.month else w.low_month end as low_month,
            w.turning_point_month,
            w.turning_point_kind,
            w.turning_point_gap_pp,
            w.turning_point_confirmed_month,
            case
                when w.heading >= 0 and round(w.high_pp - m.gap_pp, 2) >= {{ reversal_pp }} then 'peak'
                when w.heading <= 0 and round(m.gap_pp - w.low_pp, 2) >= {{ reversal_pp }} then 'trough'
                else 'none'
            end as turn
        from walk as w
        inner join months as m on w.step + 1 = m.step
    ) as n
)

select
    month,
    heading,
    turning_point_month,
    turning_point_kind,
    turning_point_gap_pp,
    turning_point_confirmed_month
from walk
