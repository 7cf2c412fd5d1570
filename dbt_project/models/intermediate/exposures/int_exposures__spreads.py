"""Returns of metals with an exposure to AI or fiscal drivers less those without; pipelines.statistics.spread."""

from datetime import date

import numpy as np
import pyarrow as pa

from pipelines.statistics.spread import mean_with_band

ENGINES = {"ai": ("ai_capex_growth",), "fiscal": ("us_fiscal_impulse",)}
ENGINES["either"] = ENGINES["ai"] + ENGINES["fiscal"]
SAMPLES = {"last_36m": 36, "since_1990": None}  # as recent in metal_attribution; the start of every use of returns
FIRST = 12 * 1990
COLUMNS = {
    "engine": pa.string(),
    "sample": pa.string(),
    "first_month": pa.date32(),
    "last_month": pa.date32(),
    "months": pa.int32(),
    "exposed_metals": pa.string(),
    "other_metals": pa.string(),
    "spread_pct_per_year": pa.float64(),
    "spread_lower_95_pct_per_year": pa.float64(),
    "spread_upper_95_pct_per_year": pa.float64(),
    "known_at": pa.timestamp("us"),
}


def number(month):
    return 12 * month.year + month.month - 1


def day(month):
    return date(month // 12, month % 12 + 1, 1)


def model(dbt, session):
    dbt.config(materialized="table", packages=["numpy", "pyarrow", "scipy", "statsmodels"])
    drivers = {}
    for metal, driver in dbt.ref("driver_exposures").select("metal_id, driver_id").fetchall():
        drivers.setdefault(metal, set()).add(driver)
    returns, known = {}, {}
    prices = dbt.ref("metal_prices").filter("frequency = 'monthly' and return_1m_log is not null")
    for metal, month, value, known_at in prices.select("metal_id, period, return_1m_log, known_at").fetchall():
        if metal in drivers:
            returns.setdefault(metal, {})[number(month)] = 100 * value
            known.setdefault(metal, {})[number(month)] = known_at

    rows = []
    # The newest month that most of the metals have: one publisher that is ahead must not leave the others out.
    last = sorted(max(months) for months in returns.values())[len(returns) // 2] if returns else None
    for sample, length in SAMPLES.items() if returns else ():
        months = range(last + 1 - length if length else FIRST, last + 1)
        there = sorted(metal for metal, of in returns.items() if all(m in of for m in months))
        for engine, ids in ENGINES.items():
            exposed = [m for m in there if drivers[m] & set(ids)]
            others = [m for m in there if m not in exposed]
            if not exposed or not others or len(months) < 24:
                continue
            means = [np.mean([[returns[m][t] for t in months] for m in group], axis=0) for group in (exposed, others)]
            spread = mean_with_band(means[0] - means[1])
            row = (
                *(engine, sample, day(months[0]), day(months[-1]), len(months)),
                *(", ".join(exposed), ", ".join(others)),
                *(12 * figure for figure in (spread.value, spread.lower_95, spread.upper_95)),
                max(known[m][t] for m in there for t in months),
            )
            rows.append(dict(zip(COLUMNS, row, strict=True)))
    return pa.Table.from_pylist(rows, schema=pa.schema(list(COLUMNS.items())))
