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


def by_month(rows, first, months):
    """Values (months,), NaN where there is none, and when each became known."""
    values, known = np.full(months, np.nan), np.full(months, np.datetime64(0, "us"))
    for month, value, known_at in rows:
        values[number(month) - first], known[number(month) - first] = value, known_at
    return values, known


def model(dbt, session):
    dbt.config(materialized="table", packages=["numpy", "pyarrow", "scipy", "statsmodels"])
    prices = dbt.ref("metal_prices").filter("frequency = 'monthly' and return_1m_log is not null")
    returns = prices.select("metal_id, period, 100 * abs(return_1m_log), known_at").fetchall()
    states = dbt.ref("int_risk_regimes__months").select("regime, month, is_inside, known_at").fetchall()
    numbers = [number(row[1]) for row in (*returns, *states)] or [0]
    first, months = min(numbers), max(numbers) - min(numbers) + 1
    moves = {metal: by_month([r[1:] for r in returns if r[0] == metal], first, months) for metal in METALS}
    # Known when the last of the four is.
    moves[AVERAGE] = (
        np.mean([moves[metal][0] for metal in AVERAGED], axis=0),
        np.max([moves[metal][1] for metal in AVERAGED], axis=0),
    )
    regimes = {
        regime: by_month([r[1:] for r in states if r[0] == regime], first, months)
        for regime in sorted({r[0] for r in states})
    }

    rows = []
    for metal, (moved, move_known) in moves.items():
        for regime, (is_inside, state_known) in regimes.items():
            for sample, start in SAMPLES.items():
                for timing, lead in TIMINGS.items():
                    since = max(number(start) - first, lead)
                    used = since + np.flatnonzero(np.isfinite(moved[since:] + is_inside[since - lead : months - lead]))
                    if not used.size:
                        continue
                    values, inside = moved[used], is_inside[used - lead] == 1
                    gap = regime_gap(values, inside)
                    ends = (date((first + m) // 12, (first + m) % 12 + 1, 1) for m in used[[0, -1]].tolist())
                    known = max(move_known[used].max(), state_known[used - lead].max()).item()
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
                        *(metal, regime, sample, timing, *ends),
                        *(gap.months_inside, gap.months_outside, gap.episodes_inside),
                        *(x if np.isfinite(x) else None for x in figures),  # the warehouse has nulls, not NaN
                        *(HAC_LAGS_MONTHS, known),
                    )
                    rows.append(dict(zip(COLUMNS, row, strict=True)))
    return pa.Table.from_pylist(rows, schema=pa.schema(list(COLUMNS.items())))
