"""How far the volatility of metals goes with that of the macroeconomy: correlations with an index, with bands.

Pure functions on arrays: no connection, no clock. Method, choices and limits: docs/methods/attribution.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.statistics.attribution import COMPLETE_SHARE
from pipelines.statistics.lead_lag import lead_lag

Floats = NDArray[np.float64]

DRIVERS = ("rates", "dollar", "inflation", "policy_uncertainty", "fiscal", "ai_capex")
# Equal weights, as in the index of uncertainty of Jurado, Ludvigson and Ng (2015), American Economic Review 105(3): a
# dozen to three dozen years that share no month cannot estimate six weights.
INDICES = {"index": DRIVERS, "macroeconomy": DRIVERS[:4]}
MIN_DRIVERS = 3  # of an index; with fewer, it would be one driver under another name


@dataclass(frozen=True)
class Explained:
    """Correlation of the mean volatility of `series` with a driver, or an index of `drivers`, over `rows`.

    `series`, `drivers` and `rows` are positions of what was used. Correlations are in [-1, 1], NaN where there is none.
    """

    series: Sequence[int]
    drivers: Sequence[int]
    rows: Sequence[int]
    correlation: float
    lower_95: float
    upper_95: float
    block_length: int


def explained(series: Floats, drivers: Floats) -> dict[str, Explained]:
    """Logarithms of volatility of `series` (n, m) against those of `drivers` (n, 6), by index and by driver.

    Windows of twelve months overlap, so bands come from circular blocks (`lead_lag`). A series counts if it has the
    last month and `COMPLETE_SHARE` of the months, a driver if it has that share. A driver of an index is standardised
    over the rows that all of them have; without `MIN_DRIVERS` there is no index.
    """
    least = COMPLETE_SHARE * series.shape[0]
    there = np.isfinite(series)
    chosen = np.flatnonzero(there[-1] & (there.sum(axis=0) >= least))
    if not chosen.size:
        return {}
    follower = series[:, chosen].mean(axis=1)
    usable = [i for i in range(len(DRIVERS)) if np.isfinite(drivers[:, i]).sum() >= least]
    asked = {name: [i for i in usable if DRIVERS[i] in members] for name, members in INDICES.items()}
    asked = {name: members for name, members in asked.items() if len(members) >= MIN_DRIVERS}
    asked |= {DRIVERS[i]: [i] for i in usable}
    found = {}
    for name, members in asked.items():
        rows = np.flatnonzero(np.isfinite(follower) & np.isfinite(drivers[:, members]).all(axis=1))
        if rows.size < least:
            continue
        part = drivers[rows][:, members]
        if not part.std(axis=0).all():  # the same in every month: nothing can go with it
            continue
        index = ((part - part.mean(axis=0)) / part.std(axis=0)).mean(axis=1)
        result = lead_lag(follower[rows], index[:, None], (0,))
        found[name] = Explained(
            chosen.tolist(),
            members,
            rows.tolist(),
            float(result.correlation[0]),
            float(result.lower_95[0]),
            float(result.upper_95[0]),
            result.block_length,
        )
    return found
