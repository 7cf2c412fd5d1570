select
    as_of,
    horizon_months,
    origin_month,
    target_month,
    no_change_pct,
    forecast_pct,
    forecast_lower_80_pct,
    forecast_upper_80_pct,
    beats_no_change,
    known_at
from {{ source('raw', 'ppi_nowcast_history') }}
