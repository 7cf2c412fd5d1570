-- Do metals move more in months of high geopolitical, trade-policy or monetary risk (monthly moves, per cent)?
select
    regime, sample, months_inside, months_outside,
    round(mean_abs_return_inside_pct, 2) as mean_abs_return_inside_pct,
    round(mean_abs_return_outside_pct, 2) as mean_abs_return_outside_pct, round(gap_t_statistic, 2) as t_statistic
from risk_regimes
where metal_id = 'average_of_four' and timing = 'same_month' and gap_pct is not null
order by gap_t_statistic desc
