"""Attribution of returns to changes of drivers: rolling regressions, shares by group, out-of-sample errors.

Pure functions on arrays: no connection, no clock. The models decide which drivers there are and when each enters.
Method, choices and limits: docs/methods/attribution.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import MetalsError
from pipelines.statistics.memory import remembered

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WINDOW_MONTHS = 60  # usual for monthly betas since Fama and MacBeth (1973), Journal of Political Economy 81(3)
RECENT_MONTHS = 36  # "recent" in the tested claim; a shorter window has too few months for five drivers
COMPLETE_SHARE = 0.9  # minimum share of a window's months that have every driver in use
# Returns of monthly averages are autocorrelated (Working 1960, Econometrica 28(4)), so at least one lag is needed;
# three is floor(4 (T/100)^(2/9)) for 60 months (Newey and West 1994, Review of Economic Studies 61(4)).
HAC_LAGS = 3
REMEMBERED = 5_000  # results of each formula: a build of all months needs about a thousand
OUT_OF_SAMPLE = ("months", "r_squared", "rmse", "rmse_no_change", "clark_west_t")
FIGURES = (
    "months_used",
    "return_standard_deviation_pct",
    "r_squared",
    "r_squared_adjusted",
    "intercept_pct",
    "recent_months_used",
    "recent_macroeconomy_r_squared",
    "recent_macroeconomy_r_squared_adjusted",
    *(f"oos_all_{name}" for name in OUT_OF_SAMPLE),
    *(f"oos_macroeconomy_{name}" for name in OUT_OF_SAMPLE),
)
OF_DRIVER = ("group_share", "beta", "beta_standard_error", "beta_t_statistic", "beta_p_value")
MIN_FORECASTS = 24  # of the recent months; with fewer, no out-of-sample error is given


@dataclass(frozen=True)
class Fit:
    """Least-squares fit of `m` series on an intercept and the same `k` drivers.

    `coefficients` (1 + k, m), the intercept first, in units of the series per unit of the driver; `residuals` (n, m);
    `r_squared` and `r_squared_adjusted` (m,) are shares of the series' variance.
    """

    design: Floats
    coefficients: Floats
    residuals: Floats
    r_squared: Floats
    r_squared_adjusted: Floats

    @cached_property
    def inference(self) -> tuple[Floats, Floats, Floats]:
        """Standard errors, t-statistics and two-sided p-values of the coefficients, each (1 + k, m).

        Errors are robust to autocorrelation and heteroskedasticity: Newey and West (1987), Econometrica 55(3), Bartlett
        weights, `HAC_LAGS` lags, with the small-sample factor n / (n - k - 1); the middle of the sandwich comes from
        statsmodels. Missing months are skipped (the equal spacing estimator of Datta and Du 2012, Federal Reserve
        International Finance Discussion Paper 1060). p-values are Student's with n - k - 1 degrees of freedom.
        """
        # Measured alternative: `OLS(...).fit(cov_type="HAC", ...)` of statsmodels gives the same to 3e-14, but fits one
        # series at a time with a results object for each: 8.1 ms of CPU for a window of ten series, 1.5 ms here.
        # A build fits 227 windows, and each past month end fits its own.
        # Imported here, because both are slow to import and nothing else needs them.
        from scipy import stats  # noqa: PLC0415
        from statsmodels.stats.sandwich_covariance import S_hac_simple  # noqa: PLC0415

        rows, columns = self.design.shape
        bread = np.linalg.inv(self.design.T @ self.design)
        errors = np.empty_like(self.coefficients)
        for series in range(self.coefficients.shape[1]):
            meat = S_hac_simple(self.design * self.residuals[:, [series]], nlags=HAC_LAGS)
            errors[:, series] = np.sqrt(np.diag(bread @ meat @ bread) * rows / (rows - columns))
        ratios = self.coefficients / errors
        return errors, ratios, 2 * stats.t.sf(np.abs(ratios), rows - columns)


def least_squares(series: Floats, drivers: Floats) -> Fit:
    """Regress each column of `series` (n, m) on `drivers` (n, k) and an intercept; all values finite, n > k + 1."""
    if series.ndim != 2 or drivers.shape[0] != series.shape[0] or drivers.shape[0] <= drivers.shape[1] + 1:
        raise MetalsError(f"series have shape {series.shape}, drivers {drivers.shape}")
    if not (np.isfinite(series).all() and np.isfinite(drivers).all()):
        raise MetalsError("a regression needs complete months")
    design = np.column_stack([np.ones(series.shape[0]), drivers])
    coefficients = np.asarray(np.linalg.lstsq(design, series, rcond=None)[0], dtype=np.float64)
    residuals = series - design @ coefficients
    total = ((series - series.mean(axis=0)) ** 2).sum(axis=0)
    r_squared = 1 - (residuals**2).sum(axis=0) / total
    rows, columns = design.shape
    adjusted = 1 - (1 - r_squared) * (rows - 1) / (rows - columns)
    return Fit(design, coefficients, residuals, r_squared, adjusted)


def group_shares(series: Floats, drivers: Floats, groups: Sequence[str]) -> dict[str, Floats]:
    """Each group's share of R squared, (m,) per group; the shares add up to R squared and none is negative.

    A share is the increase of R squared by a group, averaged over all orders in which groups can enter: Lindeman,
    Merenda and Gold (1980), Introduction to Bivariate and Multivariate Analysis, p. 119 ff.; Groemping (2007), The
    American Statistician 61(2), 139-147. The drivers of a group enter together, so that a group of three drivers has no
    advantage over a group of one.
    """
    centred = drivers - drivers.mean(axis=0)
    centred = centred / np.sqrt((centred**2).sum(axis=0))
    target = series - series.mean(axis=0)
    target = target / np.sqrt((target**2).sum(axis=0))
    correlation, with_target = centred.T @ centred, centred.T @ target
    names = list(dict.fromkeys(groups))
    columns = {name: [i for i, g in enumerate(groups) if g == name] for name in names}

    def r_squared(members: tuple[str, ...]) -> Floats:
        used = [i for name in members for i in columns[name]]
        if not used:
            return np.zeros(series.shape[1])
        slopes = np.linalg.solve(correlation[np.ix_(used, used)], with_target[used])
        explained: Floats = (slopes * with_target[used]).sum(axis=0)
        return explained

    known = {members: r_squared(members) for size in range(len(names) + 1) for members in combinations(names, size)}
    shares = {name: np.zeros(series.shape[1]) for name in names}
    for members, value in known.items():
        for name in names:
            if name not in members:
                larger = tuple(n for n in names if n in members or n == name)
                weight = 1 / (len(names) * comb(len(names) - 1, len(members)))
                shares[name] += weight * (known[larger] - value)
    return shares


@dataclass(frozen=True)
class OutOfSample:
    """Out-of-sample errors of an explanation, compared with the benchmark of no change.

    `r_squared` is 1 - sum of squared errors / sum of squared changes (Campbell and Thompson 2008, Review of Financial
    Studies 21(4), with no change in place of the mean): below zero, the explanation is worse than the benchmark. Errors
    are in the unit of the series. `clark_west_t` is the test of Clark and West (2007), Journal of Econometrics 138(1),
    for nested models: large if the drivers explain the series, even if estimated with error; HAC as in `Fit`.
    """

    months: int
    r_squared: float
    rmse: float
    rmse_no_change: float
    clark_west_t: float


def out_of_sample(actual: Floats, explained: Floats) -> OutOfSample | None:
    """Compare `actual` (n,) with `explained` (n,); months without either are left out; None if too few remain."""
    from statsmodels.stats.sandwich_covariance import S_hac_simple  # noqa: PLC0415

    both = np.isfinite(actual) & np.isfinite(explained)
    months = int(both.sum())
    if months < MIN_FORECASTS:
        return None
    y, fitted = actual[both], explained[both]
    squared, squared_no_change = (y - fitted) ** 2, y**2
    gain = squared_no_change - (squared - fitted**2)
    mean = gain.mean()
    variance = float(S_hac_simple((gain - mean)[:, None], nlags=HAC_LAGS)[0, 0]) / (months * (months - 1))
    return OutOfSample(
        months,
        float(1 - squared.sum() / squared_no_change.sum()),
        float(np.sqrt(squared.mean())),
        float(np.sqrt(squared_no_change.mean())),
        float(mean / np.sqrt(variance)),
    )


def usable(window: Floats) -> Bools:
    """Mask of the columns of `window` (n, k) that can be used together, (k,).

    A column must have a figure in the last month, which names the window, and in `COMPLETE_SHARE` of the months. While
    the months that all of them have are fewer than that, the column with the fewest figures is dropped. A column that
    is constant in those months is dropped, because it has no coefficient.
    """
    there = np.isfinite(window)
    least = COMPLETE_SHARE * window.shape[0]
    used = there[-1] & (there.sum(axis=0) >= least)
    while used.any() and there[:, used].all(axis=1).sum() < least:
        used[min(np.flatnonzero(used), key=lambda c: there[:, c].sum())] = False
    common = there[:, used].all(axis=1)
    for column in np.flatnonzero(used):
        used[column] = np.ptp(window[common, column]) > 0
    return used


def complete_sets(series: Floats, drivers: Floats) -> list[tuple[Bools, list[int]]]:
    """Sets of complete months, (n,), each with the columns of `series` (n, m) that have exactly these.

    Columns with fewer complete months than `COMPLETE_SHARE`, or without the last month, are in no set.
    """
    whole = np.isfinite(drivers).all(axis=1)
    by_months: dict[bytes, tuple[Bools, list[int]]] = {}
    for column in range(series.shape[1]):
        months = whole & np.isfinite(series[:, column])
        if np.isfinite(series[-1, column]) and months.sum() >= COMPLETE_SHARE * months.size:
            by_months.setdefault(months.tobytes(), (months, []))[1].append(column)
    return list(by_months.values())


@dataclass(frozen=True)
class Window:
    """Attribution of a window's returns; masks are over the drivers (k,), figures by position of the series.

    `figures` has a value or None for each of `FIGURES`, `of_drivers` a list of k values or None for each of
    `OF_DRIVER`.
    """

    used: Bools
    used_recently: Bools
    figures: dict[int, dict[str, float | None]]
    of_drivers: dict[int, dict[str, list[float | None]]]


@remembered(REMEMBERED)
def attribution(
    series: Floats,
    drivers: Floats,
    explained_by_all: Floats,
    explained_by_macroeconomy: Floats,
    groups: Sequence[str],
    macroeconomy: Sequence[str],
) -> Window | None:
    """Attribution of `series` (n, m), per cent, to changes of `drivers` (n, k), of which driver i is in `groups[i]`.

    The last `RECENT_MONTHS` rows are explained by the groups of the `macroeconomy` alone as well, and compared with
    what was explained out of sample, both (RECENT_MONTHS, m): see `one_step_ahead`. Only series with a figure in the
    last row have figures. None if no driver of the macroeconomy can be used.
    """
    is_macro = np.array([group in macroeconomy for group in groups])
    recent = slice(-RECENT_MONTHS, None)
    used = usable(drivers)
    if not (used & is_macro).any():
        return None
    used_recently = np.zeros(len(groups), dtype=bool)
    used_recently[is_macro] = usable(drivers[recent][:, is_macro])
    present = [int(n) for n in np.flatnonzero(np.isfinite(series[-1]))]
    figures: dict[int, dict[str, float | None]] = {n: dict.fromkeys(FIGURES) for n in present}
    of_drivers: dict[int, dict[str, list[float | None]]] = {
        n: {name: [None] * len(groups) for name in OF_DRIVER} for n in present
    }
    for complete, columns in complete_sets(series, drivers[:, used]):
        left, right = series[complete][:, columns], drivers[complete][:, used]
        fit = least_squares(left, right)
        shares = group_shares(left, right, [g for g, is_used in zip(groups, used, strict=True) if is_used])
        for n, column in enumerate(columns):
            figures[column] |= {
                "months_used": left.shape[0],
                "return_standard_deviation_pct": left[:, n].std(ddof=1),
                "r_squared": fit.r_squared[n],
                "r_squared_adjusted": fit.r_squared_adjusted[n],
                "intercept_pct": fit.coefficients[0, n],
            }
            for place, driver in enumerate(np.flatnonzero(used).tolist(), 1):
                found = (shares[groups[driver]][n], *(part[place, n] for part in (fit.coefficients, *fit.inference)))
                for name, value in zip(OF_DRIVER, found, strict=True):
                    of_drivers[column][name][driver] = value
    for complete, columns in (
        complete_sets(series[recent], drivers[recent][:, used_recently]) if used_recently.any() else ()
    ):
        fit = least_squares(series[recent][complete][:, columns], drivers[recent][complete][:, used_recently])
        for n, column in enumerate(columns):
            figures[column] |= {
                "recent_months_used": int(complete.sum()),
                "recent_macroeconomy_r_squared": fit.r_squared[n],
                "recent_macroeconomy_r_squared_adjusted": fit.r_squared_adjusted[n],
            }
    for n, of_series in figures.items():
        for name, by in (("all", explained_by_all), ("macroeconomy", explained_by_macroeconomy)):
            error = out_of_sample(series[recent, n], by[:, n])
            of_series |= {f"oos_{name}_{part}": getattr(error, part, None) for part in OUT_OF_SAMPLE}
    return Window(used, used_recently, figures, of_drivers)


def one_step_ahead(series: Floats, drivers: Floats) -> Floats:
    """The part of `series` (n, m) explained by each month's drivers, with coefficients of the previous `WINDOW_MONTHS`.

    The drivers are those of the same month (as in Meese and Rogoff 1983, Journal of International Economics 14): this
    is an explanation, not a forecast. The intercept is left out, because a drift is not explained by the drivers, and
    so that the benchmark of no change is nested in the explanation. NaN if the previous months do not suffice, or if a
    driver in use has no figure in the month.
    """
    explained = np.full(series.shape, np.nan)
    for month in range(WINDOW_MONTHS, series.shape[0]):
        past = slice(month - WINDOW_MONTHS, month)
        explained[month] = _explained(series[past], drivers[past], drivers[month])
    return explained


@remembered(REMEMBERED)
def _explained(series: Floats, drivers: Floats, now: Floats) -> Floats:
    """The part of the month after `series` (n, m) that its drivers `now` (k,) explain, (m,)."""
    explained = np.full(series.shape[1], np.nan)
    used = usable(drivers)
    if used.any() and np.isfinite(now[used]).all():
        for complete, columns in complete_sets(series, drivers[:, used]):
            fit = least_squares(series[complete][:, columns], drivers[complete][:, used])
            explained[columns] = now[used] @ fit.coefficients[1:]
    return explained
