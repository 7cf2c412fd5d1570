"""Difference of means between regimes, with standard errors robust to autocorrelation.

Pure functions on arrays: no connection, no clock. The models decide which months belong to a regime.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import MetalsError

Floats = NDArray[np.float64]

# Regimes persist: consecutive twelve-month changes share eleven months, so errors may be correlated for a year.
HAC_LAGS_MONTHS = 12
MIN_MONTHS_PER_REGIME = 12  # fewer have no error to speak of; how little a dozen tells is in the band
CONFIDENCE = 0.95


@dataclass(frozen=True)
class RegimeGap:
    """Mean inside a regime, mean outside, and the significance of their difference.

    Means, gap, standard error and the ends of the 95 % band have the unit of the series. The band, the t-statistic and
    the one-sided p-value (null: the mean inside is not larger; normal approximation) are NaN if either side has fewer
    than `MIN_MONTHS_PER_REGIME` months. Episodes are runs of months inside.
    """

    mean_inside: float
    mean_outside: float
    gap: float
    standard_error: float
    lower_95: float
    upper_95: float
    t_statistic: float
    p_value_one_sided: float
    months_inside: int
    months_outside: int
    episodes_inside: int

    @property
    def is_tested(self) -> bool:
        """Whether both sides have enough months."""
        return min(self.months_inside, self.months_outside) >= MIN_MONTHS_PER_REGIME


def regime_gap(values: Floats, inside: NDArray[np.bool_]) -> RegimeGap:
    """Least squares of `values` (n,) on a constant and the regime's dummy `inside` (n,), in time order, without gaps.

    Standard errors after Newey and West (1987), Econometrica 55(3), with Bartlett weights and `HAC_LAGS_MONTHS` lags,
    as computed by statsmodels, without a small-sample correction.
    """
    from scipy import stats  # noqa: PLC0415  (slow to import, and nothing else needs them)
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415

    if values.shape != inside.shape or values.ndim != 1:
        raise MetalsError(f"values have shape {values.shape}, the regime {inside.shape}")
    if not np.isfinite(values).all():
        raise MetalsError("a regime gap needs complete values")
    months_inside, months_outside = int(inside.sum()), int((~inside).sum())
    mean_inside = float(values[inside].mean()) if months_inside else float("nan")
    mean_outside = float(values[~inside].mean()) if months_outside else float("nan")
    error = t_statistic = p_value = float("nan")
    if min(months_inside, months_outside) >= MIN_MONTHS_PER_REGIME:
        design = np.column_stack([np.ones(values.size), inside.astype(np.float64)])
        fitted = OLS(values, design).fit(
            cov_type="HAC", cov_kwds={"maxlags": HAC_LAGS_MONTHS, "kernel": "bartlett", "use_correction": False}
        )
        error = float(fitted.bse[1])
        t_statistic = float(fitted.tvalues[1])
        p_value = float(stats.norm.sf(t_statistic))
    gap = mean_inside - mean_outside
    margin = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    return RegimeGap(
        mean_inside,
        mean_outside,
        gap,
        error,
        gap - margin,
        gap + margin,
        t_statistic,
        p_value,
        months_inside,
        months_outside,
        int(inside[0]) + int((inside[1:] & ~inside[:-1]).sum()),
    )
