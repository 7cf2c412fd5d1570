-- The rule of S1 at three months of the 1970s themselves. An indicator that does not hold there cannot tell resemblance to them.
with compared as (
    select
        reference_month,
        avg(case when is_1970s then 1.0 else 0.0 end) as share_in_1970s,
        avg(case when is_1970s then 1.0 else 0.0 end) filter (where is_nearest) as share_of_nearest_in_1970s,
        max(known_at) as known_at
    from {{ ref('int_analog__compared') }}
    where not is_newest_reference
    group by reference_month
),

valued as (
    select
        reference_month,
        'nearest_in_1970s_ratio' as indicator,
        share_of_nearest_in_1970s / nullif(share_in_1970s, 0) as value,
        null as value_low,
        null as value_high,
        known_at
    from compared

    {% for indicator in ['deficit_above_mean_pp', 'trade_openness_change_5y_pp'] %}
        union all
        select
            c.reference_month,
            '{{ indicator }}' as indicator,
            s.{{ indicator }} as value,
            null as value_low,
            null as value_high,
            c.known_at
        from compared as c
        inner join {{ ref('macro_state') }} as s on c.reference_month = s.month
    {% endfor %}

    union all

    select
        c.reference_month,
        'analog_base_metals_real_excess_36m_pp' as indicator,
        {{ bull_market_pp('a', 'a.median_real_excess_pp') }} as value,
        {{ bull_market_pp('a', 'a.real_excess_lower_95_pp') }} as value_low,
        {{ bull_market_pp('a', 'a.real_excess_upper_95_pp') }} as value_high,
        c.known_at
    from compared as c
    left join {{ ref('int_analog__after_nearest') }} as a
        on c.reference_month = a.reference_month and a.asset = 'base_metals' and a.horizon_months = 36
)

select
    v.reference_month,
    v.indicator,
    r.label,
    v.value,
    v.value_low,
    v.value_high,
    r.unit,
    {{ claim_reading_of_range('v.value', 'v.value_low', 'v.value_high', 'u.decimals', 'false', 'v.reference_month', 'r') }} as reading,
    v.known_at
from valued as v
inner join {{ ref('claim_rules') }} as r on r.claim_id = 'S1' and v.indicator = r.indicator
inner join {{ ref('claim_units') }} as u on r.unit = u.unit
