"""Correlations of China's M1-M2 growth gap with later producer prices; the formulas: pipelines.statistics.lead_lag."""

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa

from pipelines.statistics.lead_lag import BOOTSTRAP_REPLICATIONS, lag_matrix, lead_lag

LAGS = list(range(19))
# Months of the producer prices; the gap may lie before the first month. Money growth is there from 2008-01.
SAMPLES = {
    "full": (date(2008, 1, 1), date.max),
    "2008_2014": (date(2008, 1, 1), date(2015, 1, 1)),
    "2015_2019": (date(2015, 1, 1), date(2020, 1, 1)),
    "2020_now": (date(2020, 1, 1), date.max),
    "m1_before_2025": (date(2008, 1, 1), date(2025, 1, 1)),  # one definition of M1 throughout
}
COLUMNS = {
    "sample": pa.string(),
    "first_month": pa.date32(),
    "last_month": pa.date32(),
    "lag_months": pa.int32(),
    "correlation": pa.float64(),
    "correlation_lower_95": pa.float64(),
    "correlation_upper_95": pa.float64(),
    "difference_from_lag_0": pa.float64(),
    "difference_lower_95": pa.float64(),
    "difference_upper_95": pa.float64(),
    "pairs": pa.int32(),
    "block_length_months": pa.int32(),
    "replications": pa.int32(),
    "is_max": pa.bool_(),
    "best_in_draws_ratio": pa.float64(),
    "in_confidence_set_95": pa.bool_(),
    "known_at": pa.timestamp("us"),
}


def model(dbt, session):
    dbt.config(materialized="table", packages=["arch", "numpy", "pyarrow"])
    table = dbt.ref("driver_china_cycle").order("month").to_arrow_table()
    months = table["month"].to_pylist()
    if any(12 * (b.year - a.year) + b.month - a.month != 1 for a, b in pairwise(months)):
        raise ValueError("driver_china_cycle skips a month: a lag would not be a number of months")
    ppi, gap = (np.asarray(table[name].to_pylist(), dtype=np.float64) for name in ("ppi_yoy_pct", "m1_m2_gap_pp"))
    known_at = np.asarray(table["known_at"].to_pylist(), dtype="datetime64[us]")
    leaders = lag_matrix(gap, LAGS)
    rows = []
    for sample, (start, end) in SAMPLES.items():
        priced = [n for n, m in enumerate(months) if start <= m < end and np.isfinite(ppi[n])]
        if not priced:
            continue
        # To the last month with producer prices: purchasing managers are asked and published a month ahead of them.
        chosen = np.arange(priced[0], priced[-1] + 1)
        result = lead_lag(ppi[chosen], leaders[chosen], LAGS)
        for j, lag in enumerate(LAGS):
            rows.append(
                {
                    "sample": sample,
                    "first_month": months[chosen[0]],
                    "last_month": months[chosen[-1]],
                    "lag_months": lag,
                    "correlation": result.correlation[j],
                    "correlation_lower_95": result.lower_95[j],
                    "correlation_upper_95": result.upper_95[j],
                    "difference_from_lag_0": result.difference[j],
                    "difference_lower_95": result.difference_lower_95[j],
                    "difference_upper_95": result.difference_upper_95[j],
                    "pairs": int(result.pairs[j]),
                    "block_length_months": result.block_length,
                    "replications": BOOTSTRAP_REPLICATIONS,
                    "is_max": result.is_max(j),
                    "best_in_draws_ratio": result.best_in_draws[j],
                    "in_confidence_set_95": result.in_confidence_set(j),
                    "known_at": known_at[chosen].max().astype(object),
                }
            )
    for row in rows:  # the warehouse has nulls, not NaN
        for name, value in row.items():
            if isinstance(value, float) and not np.isfinite(value):
                row[name] = None
    return pa.Table.from_pylist(rows, schema=pa.schema(list(COLUMNS.items())))
