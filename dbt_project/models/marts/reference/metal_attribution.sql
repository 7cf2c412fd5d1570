-- Computed in Python (int_attribution__windows, one row per driver); here one row per metal and window.
{% set groups = ['macro', 'china', 'trade', 'geopolitics', 'ai'] %}
select
    w.metal_id,
    any_value(m.family) as family,
    w.month,
    any_value(w.first_month) as first_month,
    any_value(w.months_used) as months_used,
    any_value(w.return_standard_deviation_pct) as return_standard_deviation_pct,
    any_value(w.r_squared) as r_squared,
    any_value(w.r_squared_adjusted) as r_squared_adjusted,
    {% for group in groups %}
        max(case when w.regressor_group = '{{ group }}' then w.group_share end) as share_{{ group }},
    {% endfor %}
    {% for group in groups %}
        string_agg(case when w.regressor_group = '{{ group }}' then w.gap_reason end, '; ' order by w.regressor_id)
            as {{ group }}_gap_reason,
    {% endfor %}
    any_value(w.intercept_pct) as intercept_pct,
    string_agg(case when w.is_used then w.regressor_id end, ', ' order by w.regressor_id) as drivers_used,
    case
        when any_value(w.r_squared) is null then 'too few months with a return and all drivers that are used'
    end as gap_reason,
    any_value(w.recent_months_used) as recent_months_used,
    any_value(w.recent_macroeconomy_r_squared) as recent_macroeconomy_r_squared,
    any_value(w.recent_macroeconomy_r_squared_adjusted) as recent_macroeconomy_r_squared_adjusted,
    bool_and(w.regressor_group not in ('macro', 'china') or (w.is_used and w.is_used_recently)) as macroeconomy_is_complete,
    {% for explanation in ['all', 'macroeconomy'] %}
        any_value(w.oos_{{ explanation }}_months) as oos_{{ explanation }}_months,
        any_value(w.oos_{{ explanation }}_r_squared) as oos_{{ explanation }}_r_squared,
        any_value(w.oos_{{ explanation }}_rmse) as oos_{{ explanation }}_rmse_pct,
        any_value(w.oos_{{ explanation }}_rmse_no_change) as oos_{{ explanation }}_rmse_no_change_pct,
        any_value(w.oos_{{ explanation }}_clark_west_t) as oos_{{ explanation }}_clark_west_t,
    {% endfor %}
    max(w.known_at) as known_at
from {{ ref('int_attribution__windows') }} as w
inner join {{ ref('metals') }} as m on w.metal_id = m.metal_id
group by w.metal_id, w.month
