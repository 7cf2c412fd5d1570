"""Size of metals' monthly moves in and out of months of a shift; the arithmetic is in pipelines.statistics.regimes."""

from datetime import date

import numpy as np
import pyarrow as pa

from pipelines.statistics.regimes import HAC_LAGS_MONTHS, regime_gap

# From 1975 Americans may own gold again, and every price here is a market price; before, gold moved by decree.
SAMPLES = {"full": date(1975, 1, 1), "since_1990": date(1990, 1, 1)}  # without the inflation of 1979 to 1982
TIMINGS = {"same_month": 0, "next_month": 1}  # months from the regime's month to the month of the move
METALS = ("gold", "silver", "platinum", "palladium", "copper", "aluminium", "zinc", "nickel", "lead", "tin")
AVERAGE = "average_of_four"  # one series in place of four tests that move together
AVERAGED = ("gold", "silver", "platinum", "copper")
COLUMNS = {
    "metal_id": pa.string(),
    "regime": pa.string(),
    "sample": pa.string(),
    "timing": pa.string(),
    "first_month": pa.date32(),
    "last_month": pa.date32(),
    "months_inside": pa.int32(),
    "months_outside": pa.int32(),
    "episodes_inside": pa.int32(),
    "mean_abs_return_inside_pct": pa.float64(),
    "mean_abs_return_outside_pct": pa.float64(),
    "gap_pct": pa.float64(),
    "gap_standard_error_pct": pa.float64(),
    "gap_lower_95_pct": pa.float64(),
    "gap_upper_95_pct": pa.float64(),
    "gap_t_statistic": pa.float64(),
    "gap_p_value_one_sided": pa.float64(),
    "hac_lags_months": pa.int32(),
    "known_at": pa.timestamp("us"),
}


def number(month):
    return 12 * month.year + month.month - 1


def model(dbt, session):
    dbt.config(materialized="table", packages=["numpy", "pyarrow", "scipy", "statsmodels"])
    moves = {metal: {} for metal in METALS}  # month's number -> absolute log return in per cent, known at
    prices = dbt.ref("metal_prices").filter("frequency = 'monthly' and return_1m_log is not null")
    for metal, month, value, known_at in prices.select("metal_id, period, return_1m_log, known_at").fetchall():
        if metal in moves:
            moves[metal][number(month)] = (100 * abs(value), known_at)
    together = set.intersection(*(set(moves[metal]) for metal in AVERAGED))
    moves[AVERAGE] = {
        m: (float(np.mean([moves[x][m][0] for x in AVERAGED])), max(moves[x][m][1] for x in AVERAGED)) for m in together
    }
    regimes = {}
    states = dbt.ref("int_risk_regimes__months").select("regime, month, is_inside, known_at")
    for regime, month, is_inside, known_at in states.fetchall():
        regimes.setdefault(regime, {})[number(month)] = (is_inside, known_at)

    rows = []
    for metal, by_month in moves.items():
        for regime, months in sorted(regimes.items()):
            for sample, start in SAMPLES.items():
                for timing, lead in TIMINGS.items():
                    used = sorted(m for m in by_month if m - lead in months and m >= number(start))
                    if not used:
                        continue
                    values = np.array([by_month[m][0] for m in used])
                    inside = np.array([months[m - lead][0] for m in used], dtype=bool)
                    gap = regime_gap(values, inside)
                    first, last = (date(m // 12, m % 12 + 1, 1) for m in (used[0], used[-1]))
                    known = max(max(by_month[m][1], months[m - lead][1]) for m in used)
                    figures = (
                        gap.mean_inside,
                        gap.mean_outside,
                        gap.gap,
                        gap.standard_error,
                        gap.lower_95,
                        gap.upper_95,
                        gap.t_statistic,
                        gap.p_value_one_sided,
                    )
                    row = (
                        *(metal, regime, sample, timing, first, last),
                        *(gap.months_inside, gap.months_outside, gap.episodes_inside),
                        *(x if np.isfinite(x) else None for x in figures),  # the warehouse has nulls, not NaN
                        *(HAC_LAGS_MONTHS, known),
                    )
                    rows.append(dict(zip(COLUMNS, row, strict=True)))
    return pa.Table.from_pylist(rows, schema=pa.schema(list(COLUMNS.items())))
