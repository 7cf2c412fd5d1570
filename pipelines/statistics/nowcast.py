"""Direct forecasts of a series some months ahead, their errors out of sample, and bands made of those errors.

Pure functions on arrays: no connection, no clock. Method, choices and limits: docs/methods/money_and_ppi.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import MetalsError
from pipelines.statistics.lead_lag import circular_block_length, times_drawn

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_PAIRS = 60  # five years behind the first forecast: fifteen for each of four coefficients
MIN_ERRORS = 48  # four years behind a band: five errors beyond either end of an 80 % one
COVERAGE = 0.8  # tails of 2.5 % would rest on three or four errors of one episode


@dataclass(frozen=True)
class Nowcast:
    """The newest forecast and how forecasts so made have done; in the unit of the series.

    `forecast` and the ends of its band are NaN where a predictor of the last row is missing, everything else where
    fewer than `MIN_ERRORS` forecasts have an outcome. `scored` are the rows (origins) of those forecasts. Reductions of
    the root mean squared error against no change are in per cent, below zero where the forecasts are worse.
    `covered` is the share of outcomes inside the bands that could have been given before them, in [0, 1], of `bands`.
    """

    forecast: float
    lower_80: float
    upper_80: float
    scored: NDArray[np.int64]
    rmse: float
    rmse_no_change: float
    rmse_own_past: float
    reduction_pct: float
    reduction_lower_95_pct: float
    reduction_upper_95_pct: float
    covered: float
    bands: int

    @property
    def beats_no_change(self) -> bool | None:
        """Whether the whole band of the reduction lies above zero; None where there is no band."""
        return None if np.isnan(self.reduction_lower_95_pct) else bool(self.reduction_lower_95_pct > 0)


def direct_forecasts(series: Floats, predictors: Floats, horizon: int) -> Floats:
    """Forecast of `series` (n,) `horizon` rows ahead, made at each row from `predictors` (n, k) of that row.

    Least squares with an intercept over the rows whose outcome lies at or before the row (expanding window), so that
    no forecast uses what came after it. One regression per horizon and no iteration: Marcellino, Stock and Watson
    (2006), A comparison of direct and iterated multistep AR methods, Journal of Econometrics 135(1-2). NaN where a
    predictor is missing or fewer than `MIN_PAIRS` outcomes are known.
    """
    if series.ndim != 1 or predictors.ndim != 2 or predictors.shape[0] != series.size or horizon < 1:
        raise MetalsError(f"a series of shape {series.shape} and predictors of shape {predictors.shape} at {horizon}")
    made = np.full(series.size, np.nan)
    if series.size <= horizon:
        return made
    design = np.column_stack([np.ones(series.size), predictors])
    outcome = series[horizon:]
    complete = np.isfinite(outcome) & np.isfinite(design[:-horizon]).all(axis=1)
    x, y = np.where(complete[:, None], design[:-horizon], 0.0), np.where(complete, outcome, 0.0)
    squares = np.cumsum(x[:, :, None] * x[:, None, :], axis=0)
    products = np.cumsum(x * y[:, None], axis=0)
    origins = horizon + np.flatnonzero(np.cumsum(complete) >= MIN_PAIRS)
    origins = origins[np.isfinite(design[origins]).all(axis=1)]
    if origins.size:
        inverse = np.linalg.pinv(squares[origins - horizon], hermitian=True)
        coefficients = np.einsum("oij,oj->oi", inverse, products[origins - horizon])
        made[origins] = (design[origins] * coefficients).sum(axis=1)
    return made


def nowcast(series: Floats, own_past: Floats, leader: Floats, horizon: int) -> Nowcast:
    """Forecast of `series` (n,) `horizon` rows after its last one, from its `own_past` (n, k) and a `leader` (n,).

    Rows are consecutive months, of which the last has a figure; predictors stand at the row (origin) where they are
    used. The band is the forecast plus the central `COVERAGE` of the errors that such forecasts made out of sample,
    which asks for no distribution: Williams and Goodman (1971), A simple method for the construction of empirical
    confidence limits for economic forecasts, Journal of the American Statistical Association 66(336). Errors overlap
    and cluster, so the band of the reduction comes from a circular block bootstrap of whole rows (`lead_lag`), with
    blocks of the horizon at least.
    """
    made = direct_forecasts(series, np.column_stack([own_past, leader]), horizon)
    plain = direct_forecasts(series, own_past, horizon)
    outcome = np.concatenate([series[horizon:], np.full(min(horizon, series.size), np.nan)])
    scored = np.flatnonzero(np.isfinite(made) & np.isfinite(outcome) & np.isfinite(series) & np.isfinite(plain))
    nan = float("nan")
    if scored.size < MIN_ERRORS:
        return Nowcast(float(made[-1]), nan, nan, scored, nan, nan, nan, nan, nan, nan, nan, 0)
    error, unchanged = outcome[scored] - made[scored], outcome[scored] - series[scored]
    below, above = _band(error)
    inside = []
    for error_then, origin in zip(error, scored, strict=True):
        earlier = error[scored + horizon <= origin]
        if earlier.size >= MIN_ERRORS:
            low, high = _band(earlier)
            inside.append(low <= error_then <= high)
    losses = np.column_stack([error, unchanged]) ** 2
    reduction, lower, upper = _reduction(losses, horizon)
    return Nowcast(
        float(made[-1]),
        float(made[-1] + below),
        float(made[-1] + above),
        scored,
        float(np.sqrt(losses[:, 0].mean())),
        float(np.sqrt(losses[:, 1].mean())),
        float(np.sqrt(np.mean((outcome[scored] - plain[scored]) ** 2))),
        reduction,
        lower,
        upper,
        float(np.mean(inside)) if inside else nan,
        len(inside),
    )


def _band(errors: Floats) -> tuple[float, float]:
    low, high = np.quantile(errors, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return float(low), float(high)


def _reduction(losses: Floats, horizon: int) -> tuple[float, float, float]:
    """Reduction of the first column's root mean over the second's, per cent, with the ends of its 95 % band."""
    if not losses[:, 1].any():  # a series that never moved: no change is right, and nothing can be better
        return float("nan"), float("nan"), float("nan")
    length = max(circular_block_length(losses[:, 0], losses[:, 1]), horizon)
    drawn = times_drawn(losses.shape[0], min(length, losses.shape[0])) @ losses
    drawn = drawn[drawn[:, 1] > 0]
    means = losses.mean(axis=0)
    lower, upper = np.percentile(100 * (1 - np.sqrt(drawn[:, 0] / drawn[:, 1])), [2.5, 97.5])
    return float(100 * (1 - np.sqrt(means[0] / means[1]))), float(lower), float(upper)
