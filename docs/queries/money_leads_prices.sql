-- By how many months does China's M1-M2 gap lead its producer prices, and how certain is that in each sample period?
select
    sample, first_month, last_month, lag_months as best_lead_months, round(correlation, 2) as correlation,
    round(correlation_lower_95, 2) as correlation_lower_95, round(correlation_upper_95, 2) as correlation_upper_95,
    pairs as months_compared
from lead_lag_money_ppi
where is_max
order by first_month, last_month
