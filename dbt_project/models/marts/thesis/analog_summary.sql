-- Are the nearest months in the 1970s more often than chance would have it?
-- Chance is judged by rotation: the line of compared months is closed to a ring, and a stretch as long as the 1970s part of it is
-- laid at each of its places. The share of places that hold at least as many nearest months needs no random draw and keeps what
-- makes neighbours alike (circular shifts: Lotwick and Silverman 1982; blocks on a ring: Politis and Romano 1992).
with placed as (
    select
        month,
        case when is_nearest then 1 else 0 end as nearest,
        case when is_1970s then 1 else 0 end as in_1970s,
        row_number() over (order by month) as place,
        count(*) over () as candidates
    from {{ ref('analog_1970s') }}
),

stretch as (
    select
        sum(in_1970s) as months,
        sum(in_1970s * nearest) as nearest_months
    from placed
),

ring as (
    select
        place,
        nearest
    from placed

    union all

    select
        place + candidates as place,
        nearest
    from placed
),

passed as (
    select
        place,
        sum(nearest) over (order by place rows between unbounded preceding and current row) as nearest_so_far
    from ring
),

rotations as (
    select
        a.place,
        b.nearest_so_far - a.nearest_so_far as nearest_months
    from passed as a
    cross join stretch as s
    inner join passed as b on a.place + s.months = b.place
    where a.place <= (select count(*) from placed)
),

chance as (
    select avg(case when r.nearest_months >= s.nearest_months then 1.0 else 0.0 end) as share_of_rotations
    from rotations as r
    cross join stretch as s
    where s.months > 0
),

counted as (
    select
        max(reference_month) as reference_month,
        count(*) as candidate_months,
        min(month) as first_candidate_month,
        max(month) as last_candidate_month,
        min(case when distance_rank = 1 then month end) as nearest_month,
        min(distance) as nearest_distance,
        {{ median_of('distance') }} as median_distance,
        {{ median_of('case when is_1970s then distance end') }} as median_distance_1970s,
        sum(case when is_1970s then 1 else 0 end) as candidates_in_1970s,
        sum(case when is_nearest then 1 else 0 end) as nearest_months,
        sum(case when is_nearest and is_1970s then 1 else 0 end) as nearest_in_1970s,
        sum(case when is_independent_window then 1 else 0 end) as independent_windows,
        sum(case when is_independent_window and is_1970s then 1 else 0 end) as independent_windows_in_1970s,
        string_agg(case when is_independent_window then {{ month_text('month') }} end, ', ' order by distance_rank)
            as independent_window_months,
        max(known_at) as known_at
    from {{ ref('analog_1970s') }}
    having count(*) > 0
)

select
    {{ as_of_date() }} as as_of,
    c.reference_month,
    s.dimensions as reference_dimensions,
    s.missing_dimensions as reference_missing_dimensions,
    cast(c.candidate_months as integer) as candidate_months,
    c.first_candidate_month,
    c.last_candidate_month,
    c.nearest_month,
    c.nearest_distance,
    c.median_distance,
    c.median_distance_1970s,
    cast(c.candidates_in_1970s as integer) as candidates_in_1970s,
    100.0 * c.candidates_in_1970s / c.candidate_months as candidates_in_1970s_pct,
    cast(c.nearest_months as integer) as nearest_months,
    cast(c.nearest_in_1970s as integer) as nearest_in_1970s,
    100.0 * c.nearest_in_1970s / c.nearest_months as nearest_in_1970s_pct,
    (1.0 * c.nearest_in_1970s / c.nearest_months) / (1.0 * nullif(c.candidates_in_1970s, 0) / c.candidate_months)
        as nearest_in_1970s_ratio,
    chance.share_of_rotations,
    cast(c.independent_windows as integer) as independent_windows,
    cast(c.independent_windows_in_1970s as integer) as independent_windows_in_1970s,
    c.independent_window_months,
    c.known_at
from counted as c
cross join chance
inner join {{ ref('macro_state') }} as s on c.reference_month = s.month
