-- China's producer prices on the year as money lets expect them, with the errors of such forecasts and of no change.
select
    target_month,
    horizon_months,
    origin_month,
    forecast_pct,
    forecast_lower_80_pct,
    forecast_upper_80_pct,
    no_change_pct,
    forecasts,
    rmse_pp,
    rmse_no_change_pp,
    rmse_own_past_pp,
    beats_no_change,
    band_covered_pct,
    known_at
from ppi_nowcast
where
    forecast_lower_80_pct is not null
    {{ and_not_own_use('ppi_nowcast', "horizon_months") }}
order by horizon_months desc
