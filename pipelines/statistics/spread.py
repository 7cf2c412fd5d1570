"""The mean of a series of returns with its band.

Pure functions on arrays: no connection, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import MetalsError
from pipelines.statistics.attribution import HAC_LAGS


@dataclass(frozen=True)
class Mean:
    """A mean and the ends of its 95 % band, in the unit of the series."""

    value: float
    lower_95: float
    upper_95: float


def mean_with_band(values: NDArray[np.float64]) -> Mean:
    """Mean of `values` (n,), in time order without gaps, all finite, n of 24 at least.

    Standard error after Newey and West (1987), Econometrica 55(3), Bartlett weights, `HAC_LAGS` lags, with the
    small-sample factor n / (n - 1); Student's t with n - 1 degrees of freedom.
    """
    from scipy import stats  # noqa: PLC0415  (slow to import, and nothing else needs it)
    from statsmodels.stats.sandwich_covariance import S_hac_simple  # noqa: PLC0415

    if values.ndim != 1 or values.size < 24 or not np.isfinite(values).all():
        raise MetalsError(f"a mean with a band needs 24 complete months, not a series of shape {values.shape}")
    mean = float(values.mean())
    variance = float(S_hac_simple((values - mean)[:, None], nlags=HAC_LAGS)[0, 0]) / (values.size * (values.size - 1))
    margin = float(stats.t.ppf(0.975, values.size - 1) * np.sqrt(variance))
    return Mean(mean, mean - margin, mean + margin)
