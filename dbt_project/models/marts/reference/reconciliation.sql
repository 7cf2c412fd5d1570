-- Where the default publisher and a fallback both have a period, how far apart they are.
with compared as (
    select
        d.indicator_id,
        d.unit,
        d.series_id as default_series_id,
        f.series_id as fallback_series_id,
        d.period,
        d.value as default_value,
        f.value as fallback_value,
        abs(d.value - f.value) as gap,
        d.tolerance_absolute,
        d.tolerance_pct,
        abs(d.value - f.value) > greatest(d.tolerance_absolute, abs(d.value) * d.tolerance_pct / 100.0) as is_outside,
        greatest(d.known_at, f.known_at) as known_at
    from {{ ref('int_indicators__readings') }} as d
    inner join {{ ref('int_indicators__readings') }} as f
        on d.indicator_id = f.indicator_id and d.period = f.period and f.candidate_rank > 1
    where d.candidate_rank = 1
),

ranked as (
    select
        *,
        row_number() over (
            -- A gap outside the tolerance is shown first, however small it is against the gaps of larger figures.
            partition by indicator_id, fallback_series_id order by is_outside desc, gap desc, period desc
        ) as gap_rank
    from compared
),

summed as (
    select
        indicator_id,
        fallback_series_id,
        cast(count(*) as integer) as periods_compared,
        cast(sum(case when is_outside then 1 else 0 end) as integer) as periods_outside_tolerance,
        min(period) as first_period,
        max(period) as last_period,
        max(known_at) as known_at
    from compared
    group by indicator_id, fallback_series_id
)

select
    r.indicator_id,
    r.unit,
    r.default_series_id,
    r.fallback_series_id,
    s.periods_compared,
    s.first_period,
    s.last_period,
    r.gap as largest_gap,
    r.period as largest_gap_period,
    r.default_value as largest_gap_default_value,
    r.fallback_value as largest_gap_fallback_value,
    r.tolerance_pct,
    r.tolerance_absolute,
    s.periods_outside_tolerance,
    s.periods_outside_tolerance = 0 as is_within_tolerance,
    s.known_at
from ranked as r
inner join summed as s on r.indicator_id = s.indicator_id and r.fallback_series_id = s.fallback_series_id
where r.gap_rank = 1
