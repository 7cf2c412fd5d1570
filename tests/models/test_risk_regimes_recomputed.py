"""Gaps between metals' moves in and out of regimes with their bands, computed again from the raw figures with numpy."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pytest

from tests.models.test_attribution_recomputed import changes, log_change, monthly

METALS = (
    "wb_gold_usd_per_troy_ounce",
    "wb_silver_usd_per_troy_ounce",
    "wb_platinum_usd_per_troy_ounce",
    "wb_copper_usd_per_tonne",
)
LAGS = 12


@pytest.mark.parametrize(("sample", "start"), [("full", 12 * 1975), ("since_1990", 12 * 1990)])
def test_months_of_a_large_shift_of_the_policy_rate(built: duckdb.DuckDBPyConnection, sample: str, start: int) -> None:
    rate = monthly(built, "fred_fedfunds_pct")
    shift = {m: abs(v - rate[m - 12]) for m, v in rate.items() if m - 12 in rate}
    inside = {}
    for month, size_of_shift in shift.items():
        # Rates and their mean so far are known in full; the first score needs five years.
        so_far = [v for m, v in shift.items() if m <= month]
        if len(so_far) >= 60:
            inside[month] = (size_of_shift - np.mean(so_far)) / np.std(so_far, ddof=1) >= 1
    moves = [changes(monthly(built, metal), log_change) for metal in METALS]
    months = [m for m in sorted(set.intersection(*map(set, moves)) & set(inside)) if m >= start]
    size = np.array([np.mean([abs(move[m]) for move in moves]) for m in months])
    regime = np.array([inside[m] for m in months])
    assert months == list(range(months[0], months[-1] + 1))

    found = built.execute(
        "select gap_pct, gap_standard_error_pct, gap_lower_95_pct, gap_upper_95_pct, months_inside, months_outside,"
        " episodes_inside, first_month, last_month from risk_regimes where metal_id = 'average_of_four'"
        " and regime = 'monetary_policy' and timing = 'same_month' and sample = ?",
        [sample],
    ).fetchall()
    gap = float(size[regime].mean() - size[~regime].mean())
    error = newey_west_error(size, regime)
    *figures, first_month, last_month = found[0]
    assert [d.year * 12 + d.month - 1 for d in (first_month, last_month)] == [months[0], months[-1]]
    assert figures[4:] == [
        int(regime.sum()),
        int((~regime).sum()),
        int(regime[0]) + sum(b and not a for a, b in pairwise(regime.tolist())),
    ]
    expected = [gap, error, gap - 1.959963984540054 * error, gap + 1.959963984540054 * error]
    assert figures[:4] == pytest.approx(expected, rel=1e-9)


def newey_west_error(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], regime: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> float:
    """Standard error of the coefficient of the regime's dummy: Newey and West (1987), Bartlett weights."""
    design = np.column_stack([np.ones(values.size), regime])
    bread = np.linalg.inv(design.T @ design)
    scores = design * (values - design @ (bread @ design.T @ values))[:, None]
    meat = scores.T @ scores
    for lag in range(1, LAGS + 1):
        product = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (LAGS + 1)) * (product + product.T)
    return float(np.sqrt((bread @ meat @ bread)[1, 1]))


def test_a_sample_of_a_dozen_months_has_a_band(built: duckdb.DuckDBPyConnection) -> None:
    rows = built.execute(
        "select least(months_inside, months_outside), gap_lower_95_pct is not null, first_month from risk_regimes"
    ).fetchall()
    assert all(has_band == (months >= 12) for months, has_band, _ in rows)
    assert all(first >= date(1975, 1, 1) for *_, first in rows)
