"""Metals' monthly returns against changes of drivers, by window; the formulas: pipelines.statistics.attribution."""

from collections import defaultdict
from datetime import date

import numpy as np
import pyarrow as pa

from pipelines.statistics.attribution import (
    COMPLETE_SHARE,
    FIGURES,
    OF_DRIVER,
    RECENT_MONTHS,
    WINDOW_MONTHS,
    attribution,
    one_step_ahead,
)

FAMILIES = ("precious", "platinum_group", "base")
MACROECONOMY = ("macro", "china")  # the groups that the statement "driven by the macroeconomy" speaks of
COLUMNS = {
    "metal_id": pa.string(),
    "month": pa.date32(),
    "first_month": pa.date32(),
    "regressor_id": pa.string(),
    "regressor_group": pa.string(),
    "is_used": pa.bool_(),
    "is_used_recently": pa.bool_(),
    "gap_reason": pa.string(),
    **{name: pa.int32() if "months" in name else pa.float64() for name in FIGURES + OF_DRIVER},
    "known_at": pa.timestamp("us"),
}


def number(month):
    return 12 * month.year + month.month - 1


def day(month):
    return date(month // 12, month % 12 + 1, 1)


def panel(rows, names, first, months):
    """Values (months, names), NaN where there is none, and when each became known."""
    values, known = np.full((months, len(names)), np.nan), np.full((months, len(names)), np.datetime64(0, "us"))
    for name, month, value, known_at in rows:
        values[number(month) - first, names.index(name)] = value
        known[number(month) - first, names.index(name)] = known_at
    return values, known


def why_unused(window, first, title):
    """In words, why a driver with these months (n,) is not used."""
    there = np.flatnonzero(np.isfinite(window))
    if there.size == 0:
        return f"{title}: no figure in the window"
    if there[-1] < window.size - 1:
        return f"{title}: no figure after {day(first + int(there[-1])):%Y-%m}"
    if there.size < COMPLETE_SHARE * window.size:
        return f"{title}: {there.size} of {window.size} months, the first {day(first + int(there[0])):%Y-%m}"
    return f"{title}: the same in every month, or too few months in common with the others"


def model(dbt, session):
    dbt.config(materialized="table", packages=["numpy", "pyarrow", "scipy", "statsmodels"])
    drivers = (
        dbt.ref("attribution_regressors")
        .select("regressor_id, title, regressor_group")
        .order("regressor_id")
        .fetchall()
    )
    ids, titles, groups = (list(part) for part in zip(*drivers, strict=True))
    metals = [
        metal
        for metal, family in dbt.ref("metals").select("metal_id, family").order("metal_id").fetchall()
        if family in FAMILIES
    ]
    returns = [
        (metal, month, 100 * value, known_at)
        for metal, month, value, known_at in dbt.ref("metal_prices")
        .filter("frequency = 'monthly' and return_1m_log is not null")
        .select("metal_id, period, return_1m_log, known_at")
        .fetchall()
        if metal in metals
    ]
    changes = dbt.ref("int_attribution__changes").select("regressor_id, month, change, known_at").fetchall()
    empty = pa.schema(list(COLUMNS.items())).empty_table()
    if not returns or not changes:
        return empty
    # From the first change of a driver to the last return.
    first = min(number(r[1]) for r in changes)
    months = max(number(r[1]) for r in returns) - first + 1
    inside = range(first, first + months)
    y, y_known = panel([r for r in returns if number(r[1]) in inside], metals, first, max(months, 0))
    x, x_known = panel([r for r in changes if number(r[1]) in inside], ids, first, max(months, 0))
    known = np.maximum(np.maximum.accumulate(y_known), np.maximum.accumulate(x_known).max(axis=1, keepdims=True))
    is_macro = np.array([group in MACROECONOMY for group in groups])
    by_all, by_macro = one_step_ahead(y, x), one_step_ahead(y, x[:, is_macro])

    # Columns by name: with a value for each metal's window, and with one for each driver in it.
    of_metal, of_driver = defaultdict(list), defaultdict(list)
    for t in range(WINDOW_MONTHS - 1, months):
        window, recent = slice(t + 1 - WINDOW_MONTHS, t + 1), slice(t + 1 - RECENT_MONTHS, t + 1)
        found = attribution(y[window], x[window], by_all[recent], by_macro[recent], groups, MACROECONOMY)
        if found is None:
            continue
        used = found.used
        reasons = [
            None if is_used else why_unused(x[window][:, i], first + window.start, titles[i])
            for i, is_used in enumerate(used)
        ]
        for metal, figures in found.figures.items():
            window_of_metal = figures | {
                "metal_id": metals[metal],
                "month": day(first + t),
                "first_month": day(first + window.start),
                "known_at": known[t, metal].item(),
            }
            for name, value in window_of_metal.items():
                of_metal[name].append(value)
            drivers_of_metal = found.of_drivers[metal] | {
                "regressor_id": ids,
                "regressor_group": groups,
                "is_used": used.tolist(),
                "is_used_recently": found.used_recently.tolist(),
                "gap_reason": reasons,
            }
            for name, values in drivers_of_metal.items():
                of_driver[name].extend(values)
    each = pa.array(np.repeat(np.arange(len(of_metal["metal_id"])), len(ids)))
    return pa.table(
        {
            name: pa.array(of_driver[name], kind) if name in of_driver else pa.array(of_metal[name], kind).take(each)
            for name, kind in COLUMNS.items()
        }
    )
