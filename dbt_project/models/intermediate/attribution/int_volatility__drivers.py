"""Volatility of metals' families against that of their drivers; the formulas: pipelines.statistics.volatility."""

from datetime import date

import numpy as np
import pyarrow as pa

from pipelines.statistics.volatility import DRIVERS, explained

FAMILIES = ("precious", "platinum_group", "base")
# The start of every use of the metals' volatility; and the shortest window with ten years that share no month.
WINDOWS = {"since_1990": None, "last_10y": 120}
FIRST = 12 * 1990
COLUMNS = {
    "family": pa.string(),
    "sample": pa.string(),
    "driver_id": pa.string(),
    "first_month": pa.date32(),
    "last_month": pa.date32(),
    "months": pa.int32(),
    "metals": pa.string(),
    "drivers_used": pa.string(),
    "correlation": pa.float64(),
    "correlation_lower_95": pa.float64(),
    "correlation_upper_95": pa.float64(),
    "block_length_months": pa.int32(),
    "known_at": pa.timestamp("us"),
}


def number(month):
    return 12 * month.year + month.month - 1


def day(month):
    return date(month // 12, month % 12 + 1, 1)


def model(dbt, session):
    dbt.config(materialized="table", packages=["arch", "numpy", "pyarrow"])
    families = dict(dbt.ref("metals").select("metal_id, family").fetchall())
    volatility, known = {}, {}  # by kind and subject, then month
    rows = dbt.ref("int_volatility__monthly").select("kind, subject, month, volatility_log, known_at").fetchall()
    for kind, subject, month, value, known_at in rows:
        volatility.setdefault((kind, subject), {})[number(month)] = value
        known.setdefault((kind, subject), {})[number(month)] = known_at

    out = []
    for family in FAMILIES:
        metals = sorted(m for kind, m in volatility if kind == "metal" and families.get(m) == family)
        if not metals:
            continue
        last = max(max(volatility["metal", m]) for m in metals)
        for sample, length in WINDOWS.items():
            months = range(last + 1 - length if length else FIRST, last + 1)
            subjects = [("metal", m) for m in metals] + [("driver", d) for d in DRIVERS]
            panel = np.array(
                [[volatility.get(s, {}).get(m, np.nan) for s in subjects] for m in months], dtype=np.float64
            )
            found = explained(panel[:, : len(metals)], panel[:, len(metals) :])
            for driver_id, figures in found.items():
                used = [DRIVERS[i] for i in figures.drivers]
                behind = [("metal", metals[i]) for i in figures.series] + [("driver", d) for d in used]
                values = (figures.correlation, figures.lower_95, figures.upper_95)
                row = (
                    *(family, sample, driver_id),
                    *(day(months[figures.rows[0]]), day(months[figures.rows[-1]]), len(figures.rows)),
                    *(", ".join(metals[i] for i in figures.series), ", ".join(used)),
                    *(v if np.isfinite(v) else None for v in values),  # the warehouse has nulls, not NaN
                    figures.block_length,
                    max(known[s][m] for s in behind for m in (months[i] for i in figures.rows)),
                )
                out.append(dict(zip(COLUMNS, row, strict=True)))
    return pa.Table.from_pylist(out, schema=pa.schema(list(COLUMNS.items())))
