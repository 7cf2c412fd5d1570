-- What metals did after four sets of months of analog_1970s; only months whose horizon had passed by the reference month count.
{% set samples = {
    'independent_windows': 'is_independent_window',
    'nearest': 'is_nearest',
    'seventies': 'is_1970s',
    'all': 'true',
} %}
with outcomes as (
    {% for asset in ['base_metals', 'gold'] %}
        {% for months in [12, 24, 36] %}
            select
                month,
                reference_month,
                is_independent_window,
                is_nearest,
                is_1970s,
                '{{ asset }}' as asset,
                {{ months }} as horizon_months,
                {{ asset }}_return_{{ months }}m_pct as return_pct,
                {{ asset }}_real_return_{{ months }}m_pct as real_return_pct,
                known_at
            from {{ ref('analog_1970s') }}
            {% if not loop.last %}union all{% endif %}
        {% endfor %}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

sampled as (
    {% for sample, condition in samples.items() %}
        select
            '{{ sample }}' as sample,
            *
        from outcomes
        where {{ condition }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

summarised as (
    select
        sample,
        asset,
        horizon_months,
        max(reference_month) as reference_month,
        count(real_return_pct) as months,
        {{ median_of('return_pct') }} as median_return_pct,
        {{ median_of('real_return_pct') }} as median_real_return_pct,
        min(real_return_pct) as lowest_real_return_pct,
        max(real_return_pct) as highest_real_return_pct,
        100.0 * sum(case when real_return_pct > 0 then 1 when real_return_pct <= 0 then 0 end) / nullif(count(real_return_pct), 0)
            as share_with_real_gain_pct,
        max(known_at) as known_at
    from sampled
    group by sample, asset, horizon_months
)

select
    s.sample,
    s.asset,
    cast(s.horizon_months as integer) as horizon_months,
    s.reference_month,
    cast(s.months as integer) as months,
    s.median_return_pct,
    s.median_real_return_pct,
    s.lowest_real_return_pct,
    s.highest_real_return_pct,
    s.share_with_real_gain_pct,
    case when s.sample <> 'all' then s.median_real_return_pct - a.median_real_return_pct end as median_real_excess_pp,
    s.known_at
from summarised as s
inner join summarised as a on a.sample = 'all' and s.asset = a.asset and s.horizon_months = a.horizon_months
