"""How an outcome moved after an impulse: a regression over overlapping horizons, with its band.

Pure functions on arrays: no connection, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import MetalsError

Floats = NDArray[np.float64]
MIN_MONTHS = 120  # ten years, as for the regression of the deficit on unemployment


@dataclass(frozen=True)
class Response:
    """Slope of an outcome on an impulse and the ends of its 95 % band, in units of the outcome per unit of impulse."""

    slope: float
    lower_95: float
    upper_95: float


def response(outcome: Floats, impulse: Floats, before: Floats, lags: int) -> Response:
    """Least squares of `outcome` (n,) on `impulse` (n,), what came `before` (n,) and an intercept, in time order.

    A local projection with the outcome's own past as control (Jorda 2005, Estimation and inference of impulse responses
    by local projections, American Economic Review 95(1)): deficits widen in slumps, and prices that fell recover by
    themselves. Outcomes over h months overlap by h - 1 (Hansen and Hodrick 1980, Journal of
    Political Economy 88(5)), so errors are those of Newey and West (1987), Econometrica 55(3), with Bartlett weights
    and `lags` lags, h at least; with the small-sample factor n / (n - 3) and the normal distribution.
    """
    from scipy import stats  # noqa: PLC0415  (slow to import, and nothing else needs it)
    from statsmodels.stats.sandwich_covariance import S_hac_simple  # noqa: PLC0415

    if not outcome.shape == impulse.shape == before.shape or outcome.ndim != 1 or outcome.size < MIN_MONTHS:
        raise MetalsError(
            f"outcomes have shape {outcome.shape}, impulses {impulse.shape}, what came before {before.shape}"
        )
    design = np.column_stack([np.ones(outcome.size), impulse, before])
    if not (np.isfinite(outcome).all() and np.isfinite(design).all()):
        raise MetalsError("a response needs complete months")
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ (design.T @ outcome)
    residuals = outcome - design @ coefficients
    meat = S_hac_simple(design * residuals[:, None], nlags=lags)
    error = np.sqrt((bread @ meat @ bread)[1, 1] * outcome.size / (outcome.size - 3))
    margin = float(stats.norm.ppf(0.975) * error)
    slope = float(coefficients[1])
    return Response(slope, slope - margin, slope + margin)
