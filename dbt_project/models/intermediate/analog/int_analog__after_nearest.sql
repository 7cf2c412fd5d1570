-- The median real return after the nearest months, against the median after as many months placed alike. Returns of 36 months from
-- neighbouring months share up to 35 of them, so the nearest months are far fewer observations than their number. The months compared
-- are closed to a ring and the pattern of the nearest is laid at each of its places: every place keeps the runs and gaps of the nearest
-- and the overlap of the returns, and none of it is drawn at random (circular shifts: Lotwick and Silverman 1982; blocks on a ring:
-- Politis and Romano 1992; overlapping returns: Hansen and Hodrick 1980). The band of 95 % is the excess less what the places alone
-- give: it holds zero exactly where the median lies within the central 95 % of the places.
{% set tails = {'lower': 0.975, 'upper': 0.025} %}
with placed as (
    select
        *,
        row_number() over (partition by reference_month order by month) - 1 as place,
        count(*) over (partition by reference_month) as places
    from {{ ref('int_analog__compared') }}
),

returns as (
    {% for asset in ['base_metals', 'gold'] %}
        {% for months in [12, 24, 36] %}
            select
                reference_month,
                place,
                '{{ asset }}' as asset,
                {{ months }} as horizon_months,
                {{ asset }}_real_return_{{ months }}m_pct as real_return_pct
            from placed
            where {{ asset }}_real_return_{{ months }}m_pct is not null
            {% if not loop.last %}union all{% endif %}
        {% endfor %}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

usual as (
    select
        reference_month,
        asset,
        horizon_months,
        {{ median_of('real_return_pct') }} as real_return_pct
    from returns
    group by reference_month, asset, horizon_months
),

shifted as (
    select
        n.reference_month,
        s.place as shift,
        (n.place + s.place) % n.places as place
    from placed as n
    inner join placed as s on n.reference_month = s.reference_month
    where n.is_nearest
),

by_shift as (
    select
        s.reference_month,
        s.shift,
        r.asset,
        r.horizon_months,
        count(*) as months,
        {{ median_of('r.real_return_pct') }} as real_return_pct
    from shifted as s
    inner join returns as r on s.reference_month = r.reference_month and s.place = r.place
    group by s.reference_month, s.shift, r.asset, r.horizon_months
),

-- The nearest months themselves are the shift by none.
observed as (
    select
        b.reference_month,
        b.asset,
        b.horizon_months,
        b.months,
        b.real_return_pct,
        u.real_return_pct as usual_real_return_pct
    from by_shift as b
    inner join usual as u
        on b.reference_month = u.reference_month and b.asset = u.asset and b.horizon_months = u.horizon_months
    where b.shift = 0
),

windows as (
    select
        reference_month,
        count(*) filter (where is_independent_window) as independent_windows,
        max(known_at) as known_at
    from placed
    group by reference_month
)

select
    o.reference_month,
    o.asset,
    o.horizon_months,
    max(o.months) as months,
    max(w.independent_windows) as independent_windows,
    max(o.real_return_pct) as median_real_return_pct,
    max(o.usual_real_return_pct) as usual_real_return_pct,
    max(o.real_return_pct) - max(o.usual_real_return_pct) as median_real_excess_pp,
    {% for end, quantile in tails.items() %}
        max(o.real_return_pct) - quantile_cont(b.real_return_pct, {{ quantile }}) as real_excess_{{ end }}_95_pp,
    {% endfor %}
    avg(case when b.real_return_pct >= o.real_return_pct then 1.0 else 0.0 end) as share_of_shifts,
    max(w.known_at) as known_at
from observed as o
inner join windows as w on o.reference_month = w.reference_month
inner join by_shift as b
    on o.reference_month = b.reference_month and o.asset = b.asset and o.horizon_months = b.horizon_months
group by o.reference_month, o.asset, o.horizon_months
