-- Computed in Python (int_fiscal__responses): what real metal prices and industry did after fiscal impulses, per point of GDP.
select
    outcome,
    horizon_months,
    first_month,
    last_month,
    months,
    slope_pct_per_pp,
    slope_lower_95_pct_per_pp,
    slope_upper_95_pct_per_pp,
    known_at
from {{ ref('int_fiscal__responses') }}
