"""Real metal prices and industry after fiscal impulses; the arithmetic is in pipelines.statistics.response."""

from datetime import date

import numpy as np
import pyarrow as pa

from pipelines.statistics.response import MIN_MONTHS, response

HORIZONS_MONTHS = (12, 24)
BEFORE_MONTHS = 12  # of the outcome's own past: the span of the impulse
COLUMNS = {
    "outcome": pa.string(),
    "horizon_months": pa.int32(),
    "first_month": pa.date32(),
    "last_month": pa.date32(),
    "months": pa.int32(),
    "slope_pct_per_pp": pa.float64(),
    "slope_lower_95_pct_per_pp": pa.float64(),
    "slope_upper_95_pct_per_pp": pa.float64(),
    "known_at": pa.timestamp("us"),
}


def number(month):
    return 12 * month.year + month.month - 1


def day(month):
    return date(month // 12, month % 12 + 1, 1)


def model(dbt, session):
    dbt.config(materialized="table", packages=["numpy", "pyarrow", "scipy", "statsmodels"])
    impulses, levels = {}, {}  # by month: value, known at
    for month, value, known_at in (
        dbt.ref("driver_fiscal")
        .filter("fiscal_impulse_12m_pp is not null")
        .select("month, fiscal_impulse_12m_pp, known_at")
        .fetchall()
    ):
        impulses[number(month)] = (value, known_at)
    rows = dbt.ref("int_fiscal__outcomes").select("outcome, month, level_log, known_at").fetchall()
    for outcome, month, level, known_at in rows:
        levels.setdefault(outcome, {})[number(month)] = (level, known_at)

    out = []
    for outcome, of in sorted(levels.items()):
        for horizon in HORIZONS_MONTHS:
            months = sorted(m for m in impulses if {m - BEFORE_MONTHS, m, m + horizon} <= of.keys())
            if len(months) < MIN_MONTHS:
                continue
            growth = np.array([100 * (of[m + horizon][0] - of[m][0]) for m in months])
            before = np.array([100 * (of[m][0] - of[m - BEFORE_MONTHS][0]) for m in months])
            found = response(growth, np.array([impulses[m][0] for m in months]), before, horizon)
            row = (
                *(outcome, horizon, day(months[0]), day(months[-1] + horizon), len(months)),
                *(found.slope, found.lower_95, found.upper_95),
                max(max(impulses[m][1], of[m - BEFORE_MONTHS][1], of[m][1], of[m + horizon][1]) for m in months),
            )
            out.append(dict(zip(COLUMNS, row, strict=True)))
    return pa.Table.from_pylist(out, schema=pa.schema(list(COLUMNS.items())))
