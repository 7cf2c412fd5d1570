-- Correlation of money with producer prices some months later, with 95 % bands of a block bootstrap.
select
    lag_months,
    correlation,
    correlation_lower_95,
    correlation_upper_95,
    is_max,
    pairs,
    first_month,
    last_month
from lead_lag_money_ppi
where
    sample = 'full'
    {{ and_not_own_use('lead_lag_money_ppi', "sample || '|' || lag_months") }}
order by lag_months
