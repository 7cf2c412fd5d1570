"""The nowcast of China's producer prices, its errors and its bands, computed again with statsmodels' own regression."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm

from tests.models.test_attribution_recomputed import Months, monthly, number


@pytest.mark.parametrize("horizon", [1, 4, 6])
def test_forecast_errors_and_band(built: duckdb.DuckDBPyConnection, horizon: int) -> None:
    ppi = monthly(built, "cn_ppi_yoy_pct") | monthly(built, "nbs_ppi_yoy_pct")
    m1, m2 = monthly(built, "cn_m1_yoy_pct"), monthly(built, "cn_m2_yoy_pct")
    gap = {month: m1[month] - m2[month] for month in m1.keys() & m2.keys()}
    last = max(ppi)

    def predictors(origin: int) -> list[float] | None:
        lead = origin + horizon - 6
        if lead not in gap or origin not in ppi or origin - 1 not in ppi:
            return None
        return [1.0, ppi[origin], ppi[origin - 1], gap[lead]]

    def forecast(origin: int) -> float | None:
        known = [m for m in sorted(ppi) if m + horizon <= origin and m + horizon in ppi and predictors(m)]
        now = predictors(origin)
        if len(known) < 60 or now is None:
            return None
        fitted = sm.OLS([ppi[m + horizon] for m in known], [predictors(m) for m in known]).fit()
        return float(fitted.predict([now])[0])

    errors: Months = {}
    unchanged: Months = {}
    own: Months = {}
    for origin in sorted(ppi):
        made = forecast(origin) if origin + horizon in ppi else None
        if made is not None:
            errors[origin] = ppi[origin + horizon] - made
            unchanged[origin] = ppi[origin + horizon] - ppi[origin]
            plain = [m for m in sorted(ppi) if m + horizon <= origin and m + horizon in ppi and m - 1 in ppi]
            fitted = sm.OLS([ppi[m + horizon] for m in plain], [[1.0, ppi[m], ppi[m - 1]] for m in plain]).fit()
            own[origin] = ppi[origin + horizon] - float(fitted.predict([[1.0, ppi[origin], ppi[origin - 1]]])[0])
    inside = []
    for origin, error in errors.items():
        earlier = [e for o, e in errors.items() if o + horizon <= origin]
        if len(earlier) >= 48:
            low, high = np.quantile(earlier, [0.1, 0.9])
            inside.append(low <= error <= high)

    [row] = built.sql(f"select * from ppi_nowcast where horizon_months = {horizon}").pl().to_dicts()
    assert (number(row["origin_month"]), number(row["target_month"])) == (last, last + horizon)
    assert number(row["gap_month"]) == last + horizon - 6
    assert row["no_change_pct"] == ppi[last]
    assert (row["forecasts"], row["bands"]) == (len(errors), len(inside))
    assert number(row["first_target_month"]) == min(errors) + horizon

    def rmse(of: Months) -> float:
        return float(np.sqrt(np.mean(np.square(list(of.values())))))

    assert row["rmse_pp"] == pytest.approx(rmse(errors), rel=1e-8)
    assert row["rmse_no_change_pp"] == pytest.approx(rmse(unchanged), rel=1e-8)
    assert row["rmse_own_past_pp"] == pytest.approx(rmse(own), rel=1e-8)
    assert row["rmse_reduction_pct"] == pytest.approx(100 * (1 - rmse(errors) / rmse(unchanged)), rel=1e-6)
    assert row["rmse_reduction_lower_95_pct"] < row["rmse_reduction_pct"] < row["rmse_reduction_upper_95_pct"]
    assert row["beats_no_change"] == (row["rmse_reduction_lower_95_pct"] > 0)
    assert row["band_covered_pct"] == pytest.approx(100 * np.mean(inside))
    now = forecast(last)
    assert row["forecast_pct"] == (None if now is None else pytest.approx(now, rel=1e-8))
    if now is None:
        assert row["gap_reason"] == f"no M1-M2 gap of {row['gap_month']:%Y-%m}"
    else:
        low, high = np.quantile(list(errors.values()), [0.1, 0.9])
        assert row["gap_reason"] is None
        band = (row["forecast_lower_80_pct"], row["forecast_upper_80_pct"])
        assert band == pytest.approx((now + low, now + high), rel=1e-8)
