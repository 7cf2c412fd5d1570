-- What base metals and gold did after the months most like today, after those of the 1970s, and after all (compared, or since 1960); real returns.
select
    sample,
    asset,
    max(months) as months,
    max(median_real_return_pct) filter (where horizon_months = 12) as after_12_months_real_return_pct,
    max(median_real_return_pct) filter (where horizon_months = 24) as after_24_months_real_return_pct,
    max(median_real_return_pct) filter (where horizon_months = 36) as after_36_months_real_return_pct,
    max(lowest_real_return_pct) filter (where horizon_months = 36) as after_36_months_lowest_real_return_pct,
    max(highest_real_return_pct) filter (where horizon_months = 36) as after_36_months_highest_real_return_pct
from analog_outcomes
where true {{ and_not_own_use('analog_outcomes', "sample || '|' || asset || '|' || horizon_months") }}
group by sample, asset
order by asset, array_position(['nearest', 'independent_windows', 'all', 'seventies', 'since_1960'], sample)
