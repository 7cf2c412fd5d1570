-- How far each month's macro state lies from that of a reference month, and what metals did after it. The reference months are the
-- newest one with a state, and three of the 1970s that calibrate the rule of S1: would it find the 1970s in the 1970s?
-- A gap is in robust standard deviations over all months up to the newest: (then - now) / (1.4826 * median absolute deviation).
-- The distance is the root mean square of the gaps over the parts that both months have, so that months with fewer parts can
-- be compared with those that have all (Gower 1971); the parts weigh the same.
{% set vector = state_vector().strip().split(',') %}
{% set horizons = [12, 24, 36] %}
{% set prices = {
    'base_metals': 'base_metals_usd_per_tonne',
    'base_metals_real': 'base_metals_real_usd_per_tonne',
    'gold': 'gold_usd_per_troy_ounce',
    'gold_real': 'gold_real_usd_per_troy_ounce',
} %}
with newest as (
    select *
    from {{ ref('macro_state') }}
    where dimensions >= {{ min_state_dimensions() }}
    order by month desc
    limit 1
),

reference as (
    select * from newest

    union all

    select s.*
    from {{ ref('macro_state') }} as s
    inner join newest as n on s.month < n.month
    where s.dimensions >= {{ min_state_dimensions() }} and s.month in ({{ calibration_months() }})
),

history as (
    select s.*
    from {{ ref('macro_state') }} as s
    inner join newest as n on s.month <= n.month
),

medians as (
    select
        {% for dimension in vector %}
            {{ median_of(dimension) }} as {{ dimension }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from history
),

scales as (
    select
        {% for dimension in vector %}
            nullif({{ mad_to_standard_deviation() }} * {{ median_of('abs(h.' ~ dimension ~ ' - m.' ~ dimension ~ ')') }}, 0)
                as {{ dimension }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from history as h
    cross join medians as m
),

gaps as (
    select
        r.month as reference_month,
        h.month,
        {% for dimension in vector %}
            (h.{{ dimension }} - r.{{ dimension }}) / s.{{ dimension }} as {{ dimension }}_gap_zscore{% if not loop.last %},{% endif %}
        {% endfor %}
    from history as h
    cross join reference as r
    cross join scales as s
    where
        h.month <= r.month - interval {{ analog_window_months() }} month
        or h.month >= r.month + interval {{ analog_window_months() }} month
),

counted as (
    select
        *,
        (
            {% for dimension in vector %}
                case when {{ dimension }}_gap_zscore is null then 0 else 1 end{% if not loop.last %} +{% endif %}
            {% endfor %}
        ) as common_dimensions
    from gaps
),

measured as (
    select
        *,
        sqrt(
            (
                {% for dimension in vector %}
                    coalesce({{ dimension }}_gap_zscore * {{ dimension }}_gap_zscore, 0){% if not loop.last %} +{% endif %}
                {% endfor %}
            ) / common_dimensions
        ) as distance
    from counted
    where common_dimensions >= {{ min_state_dimensions() }}
),

ranked as (
    select
        *,
        row_number() over (partition by reference_month order by distance, month) as distance_rank,
        count(*) over (partition by reference_month) as candidates
    from measured
),

-- A window of its own is the nearest month of the 35 before it and the 35 after it. Two such months lie at least 36 months
-- apart, so what followed the one within three years is not what followed the other.
marked as (
    select
        *,
        distance_rank <= ceil({{ nearest_share() }} * candidates) as is_nearest,
        distance_rank = min(distance_rank) over (
            partition by reference_month
            order by month
            range between interval {{ analog_window_months() | int - 1 }} month preceding
            and interval {{ analog_window_months() | int - 1 }} month following
        ) as is_nearest_around
    from ranked
),

newest_known as (
    select max(known_at) as known_at
    from (
        select h.known_at from history as h
        union all
        select p.known_at
        from {{ ref('int_metal_prices__deflated') }} as p
        inner join newest as n on p.month <= n.month
    ) as inputs
)

select
    c.month,
    c.reference_month,
    c.reference_month = (select n.month from newest as n) as is_newest_reference,
    c.distance,
    cast(c.distance_rank as integer) as distance_rank,
    c.is_nearest,
    c.is_nearest and c.is_nearest_around as is_independent_window,
    {{ is_seventies('c.month') }} as is_1970s,
    cast(c.common_dimensions as integer) as common_dimensions,
    {% for dimension in vector %}
        c.{{ dimension }}_gap_zscore,
    {% endfor %}
    {% for name, price in prices.items() %}
        {% for months in horizons %}
            100 * (p{{ months }}.{{ price }} / p0.{{ price }} - 1) as {{ name }}_return_{{ months }}m_pct,
        {% endfor %}
    {% endfor %}
    k.known_at
from marked as c
cross join newest_known as k
left join {{ ref('int_metal_prices__deflated') }} as p0 on c.month = p0.month
{% for months in horizons %}
    left join {{ ref('int_metal_prices__deflated') }} as p{{ months }}
        on c.month + interval {{ months }} month = p{{ months }}.month
{% endfor %}
