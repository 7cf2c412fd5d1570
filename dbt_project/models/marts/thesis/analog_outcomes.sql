-- What metals did after five sets of months; only months whose horizon had passed by the reference month count. Three sets are of the
-- months compared in analog_1970s, which begin where the state does. The 1970s themselves are the decade as named, January 1970 to
-- December 1979: what came after a month needs its price and not its state. Each set has its usual return beside it: that after all
-- months from which it was taken.
{% set samples = {
    'independent_windows': ('compared', 'is_independent_window', 'all'),
    'nearest': ('compared', 'is_nearest', 'all'),
    'all': ('compared', 'true', none),
    'seventies': ('priced', is_seventies('month'), 'since_1960'),
    'since_1960': ('priced', 'true', none),
} %}
with compared as (
    {% for asset in ['base_metals', 'gold'] %}
        {% for months in [12, 24, 36] %}
            select
                month,
                reference_month,
                is_independent_window,
                is_nearest,
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

reference as (
    select
        max(reference_month) as reference_month,
        max(known_at) as known_at
    from {{ ref('analog_1970s') }}
    having count(*) > 0
),

prices as (
    {% for asset, unit in [('base_metals', 'usd_per_tonne'), ('gold', 'usd_per_troy_ounce')] %}
        select
            month,
            '{{ asset }}' as asset,
            {{ asset }}_{{ unit }} as price,
            {{ asset }}_real_{{ unit }} as real_price
        from {{ ref('int_metal_prices__deflated') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

priced as (
    select
        p.month,
        r.reference_month,
        p.asset,
        h.horizon_months,
        {{ growth_pct('later.price', 'p.price') }} as return_pct,
        {{ growth_pct('later.real_price', 'p.real_price') }} as real_return_pct,
        r.known_at
    from prices as p
    cross join reference as r
    cross join (values (12), (24), (36)) as h (horizon_months)
    left join prices as later
        on p.asset = later.asset and cast(p.month + h.horizon_months * interval 1 month as date) = later.month
    where p.month + h.horizon_months * interval 1 month <= r.reference_month
),

sampled as (
    {% for sample, (months, condition, usual) in samples.items() %}
        select
            '{{ sample }}' as sample,
            cast({{ "'" ~ usual ~ "'" if usual else 'null' }} as varchar) as usual,
            month,
            reference_month,
            asset,
            horizon_months,
            return_pct,
            real_return_pct,
            known_at
        from {{ months }}
        where {{ condition }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

summarised as (
    select
        sample,
        usual,
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
    group by sample, usual, asset, horizon_months
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
    a.median_real_return_pct as usual_real_return_pct,
    s.median_real_return_pct - a.median_real_return_pct as median_real_excess_pp,
    b.real_excess_lower_95_pp,
    b.real_excess_upper_95_pp,
    b.share_of_shifts,
    cast(b.independent_windows as integer) as independent_windows,
    s.known_at
from summarised as s
left join summarised as a on s.usual = a.sample and s.asset = a.asset and s.horizon_months = a.horizon_months
left join {{ ref('int_analog__after_nearest') }} as b
    on s.sample = 'nearest' and s.reference_month = b.reference_month and s.asset = b.asset and s.horizon_months = b.horizon_months
