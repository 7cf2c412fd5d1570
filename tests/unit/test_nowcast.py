"""Direct forecasts, their errors and their bands, on series whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.errors import MetalsError
from pipelines.statistics.lead_lag import lag_matrix
from pipelines.statistics.nowcast import MIN_ERRORS, MIN_PAIRS, Floats, direct_forecasts, nowcast


def led(months: int, noise: float) -> tuple[Floats, Floats]:
    """A follower that is half of a leader six months earlier, and noise."""
    generator = np.random.default_rng(7)
    leader = np.cumsum(generator.normal(size=months + 6))
    return 0.5 * leader[:months] + noise * generator.normal(size=months), leader[6:]


def test_a_forecast_knows_nothing_that_came_after_its_origin() -> None:
    follower, leader = led(150, 0.1)
    predictors = np.column_stack([lag_matrix(follower, (0, 1)), lag_matrix(leader, (3,))])
    made = direct_forecasts(follower, predictors, 3)
    for origin in (MIN_PAIRS + 3 + 2, 100):
        later = np.arange(150) > origin
        other = direct_forecasts(np.where(later, -99.0, follower), np.where(later[:, None], 77.0, predictors), 3)
        assert np.isfinite(made[origin])
        assert other[: origin + 1] == pytest.approx(made[: origin + 1], nan_ok=True)
    # The first three rows lack a lagged leader, and the outcome of a row is known three rows later.
    assert np.flatnonzero(np.isfinite(made))[0] == 3 + MIN_PAIRS - 1 + 3


def test_what_leads_is_found_and_a_random_walk_is_not_beaten() -> None:
    follower, leader = led(240, 0.05)
    found = nowcast(follower, lag_matrix(follower, (0, 1)), leader, 6)
    assert found.forecast == pytest.approx(0.5 * leader[-1], abs=0.1)
    assert found.lower_80 < found.forecast < found.upper_80
    assert found.beats_no_change is True
    assert found.rmse < 0.1 < found.rmse_own_past
    assert 0.6 < found.covered < 0.95
    assert found.bands == found.scored.size - MIN_ERRORS - 5

    generator = np.random.default_rng(11)
    walk, noise = np.cumsum(generator.normal(size=240)), generator.normal(size=240)
    found = nowcast(walk, lag_matrix(walk, (0, 1)), noise, 6)
    assert found.beats_no_change is False
    assert found.reduction_lower_95_pct < found.reduction_pct < found.reduction_upper_95_pct


def test_it_is_silent_where_there_is_too_little_or_nothing_moves() -> None:
    follower, leader = led(MIN_PAIRS + MIN_ERRORS, 0.1)
    found = nowcast(follower, lag_matrix(follower, (0, 1)), leader, 6)
    assert np.isfinite(found.forecast)
    assert found.scored.size < MIN_ERRORS
    assert found.beats_no_change is None
    assert np.isnan([found.lower_80, found.upper_80, found.rmse, found.rmse_no_change, found.covered]).all()
    still = np.full(200, 2.0)
    found = nowcast(still, lag_matrix(still, (0, 1)), leader=np.zeros(200), horizon=1)
    assert found.forecast == pytest.approx(2.0)
    assert found.beats_no_change is None
    assert np.isnan(nowcast(follower, lag_matrix(follower, (0, 1)), np.full(follower.size, np.nan), 6).forecast)
    assert np.isnan(direct_forecasts(np.ones(3), np.ones((3, 1)), 6)).all()
    with pytest.raises(MetalsError, match="at 0"):
        direct_forecasts(follower, leader[:, None], 0)
