-- Computed in Python (int_exposures__spreads): did metals with a link to AI or to fiscal policy do otherwise than those without?
select
    engine,
    sample,
    first_month,
    last_month,
    months,
    exposed_metals,
    other_metals,
    spread_pct_per_year,
    spread_lower_95_pct_per_year,
    spread_upper_95_pct_per_year,
    known_at
from {{ ref('int_exposures__spreads') }}
