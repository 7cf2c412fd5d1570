-- Computed in Python (int_lead_lag__money_ppi); this table gives it its contract, which dbt enforces for SQL models only.
select
    sample,
    first_month,
    last_month,
    lag_months,
    correlation,
    correlation_lower_95,
    correlation_upper_95,
    difference_from_lag_0,
    difference_lower_95,
    difference_upper_95,
    pairs,
    block_length_months,
    replications,
    is_max,
    best_in_draws_ratio,
    in_confidence_set_95,
    known_at
from {{ ref('int_lead_lag__money_ppi') }}
