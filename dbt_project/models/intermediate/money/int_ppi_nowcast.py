"""China's producer prices in the months to come, from the M1-M2 gap; the arithmetic: pipelines.statistics.nowcast."""

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa

from pipelines.statistics.lead_lag import lag_matrix
from pipelines.statistics.nowcast import nowcast

LEAD_MONTHS = (
    6  # the lead stated beforehand (claim C6), not the one that fits best: at longer horizons the gap is not known
)
COLUMNS = {
    "horizon_months": pa.int32(),
    "origin_month": pa.date32(),
    "target_month": pa.date32(),
    "gap_month": pa.date32(),
    "m1_m2_gap_pp": pa.float64(),
    "no_change_pct": pa.float64(),
    "forecast_pct": pa.float64(),
    "forecast_lower_80_pct": pa.float64(),
    "forecast_upper_80_pct": pa.float64(),
    "gap_reason": pa.string(),
    "forecasts": pa.int32(),
    "first_target_month": pa.date32(),
    "rmse_pp": pa.float64(),
    "rmse_no_change_pp": pa.float64(),
    "rmse_own_past_pp": pa.float64(),
    "rmse_reduction_pct": pa.float64(),
    "rmse_reduction_lower_95_pct": pa.float64(),
    "rmse_reduction_upper_95_pct": pa.float64(),
    "beats_no_change": pa.bool_(),
    "bands": pa.int32(),
    "band_covered_pct": pa.float64(),
    "known_at": pa.timestamp("us"),
}


def later(month, months):
    number = 12 * month.year + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def model(dbt, session):
    dbt.config(materialized="table", packages=["arch", "numpy", "pyarrow"])
    table = dbt.ref("driver_china_cycle").order("month").to_arrow_table()
    months = table["month"].to_pylist()
    if any(later(a, 1) != b for a, b in pairwise(months)):
        raise ValueError("driver_china_cycle skips a month: a lag would not be a number of months")
    ppi, gap = (np.asarray(table[name].to_pylist(), dtype=np.float64) for name in ("ppi_yoy_pct", "m1_m2_gap_pp"))
    known = np.flatnonzero(np.isfinite(ppi))
    rows = []
    if known.size:
        last = known[-1]  # the origin: money may be known for a month more, and purchasing managers are
        known_at = max(table["known_at"].to_pylist()[: last + 1])
        series = ppi[: last + 1]
        own_past = lag_matrix(series, (0, 1))
        for horizon in range(1, LEAD_MONTHS + 1):
            leader = lag_matrix(gap[: last + 1], (LEAD_MONTHS - horizon,))[:, 0]
            found = nowcast(series, own_past, leader, horizon)
            gap_month = later(months[last], horizon - LEAD_MONTHS)
            rows.append(
                {
                    "horizon_months": horizon,
                    "origin_month": months[last],
                    "target_month": later(months[last], horizon),
                    "gap_month": gap_month,
                    "m1_m2_gap_pp": leader[-1],
                    "no_change_pct": series[-1],
                    "forecast_pct": found.forecast,
                    "forecast_lower_80_pct": found.lower_80,
                    "forecast_upper_80_pct": found.upper_80,
                    "gap_reason": reason(found, leader[-1], own_past[-1], gap_month),
                    "forecasts": found.scored.size,
                    "first_target_month": later(months[found.scored[0]], horizon) if found.scored.size else None,
                    "rmse_pp": found.rmse,
                    "rmse_no_change_pp": found.rmse_no_change,
                    "rmse_own_past_pp": found.rmse_own_past,
                    "rmse_reduction_pct": found.reduction_pct,
                    "rmse_reduction_lower_95_pct": found.reduction_lower_95_pct,
                    "rmse_reduction_upper_95_pct": found.reduction_upper_95_pct,
                    "beats_no_change": found.beats_no_change,
                    "bands": found.bands,
                    "band_covered_pct": 100 * found.covered,
                    "known_at": known_at,
                }
            )
    for row in rows:  # the warehouse has nulls, not NaN
        for name, value in row.items():
            if isinstance(value, float) and not np.isfinite(value):
                row[name] = None
    return pa.Table.from_pylist(rows, schema=pa.schema(list(COLUMNS.items())))


def reason(found, gap, own_past, gap_month):
    if not np.isfinite(gap):
        return f"no M1-M2 gap of {gap_month:%Y-%m}"
    if not np.isfinite(own_past).all():
        return "no producer prices of the month before"
    if not np.isfinite(found.forecast):
        return "fewer than 60 earlier outcomes"
    if not np.isfinite(found.lower_80):
        return "no band: fewer than 48 forecasts with an outcome"
    return None
