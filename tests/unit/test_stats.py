"""Correlations by lag: hand-checked, against numpy, under resampling, and on planted truth."""

from collections.abc import Callable

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap

from pipelines.errors import MetalsError
from pipelines.statistics import attribution, lead_lag
from pipelines.statistics.memory import remembered

NAN = float("nan")


def test_lag_matrix_shifts_back_and_leaves_the_start_empty() -> None:
    shifted = lead_lag.lag_matrix(np.array([1.0, 2.0, 3.0]), [0, 1, 2, 3])
    assert np.array_equal(
        shifted,
        np.array([[1.0, NAN, NAN, NAN], [2.0, 1.0, NAN, NAN], [3.0, 2.0, 1.0, NAN]]),
        equal_nan=True,
    )


def test_a_negative_lag_is_refused_because_it_reads_the_future() -> None:
    with pytest.raises(MetalsError, match="lag -1 would read the future"):
        lead_lag.lag_matrix(np.array([1.0, 2.0]), [-1])


def test_correlation_by_hand() -> None:
    # Deviations (-1, 0, 1) and (-1, 1, 0): covariance 1, both sums of squares 2, so 1 / 2.
    follower = np.array([1.0, 2.0, 3.0, NAN])
    leaders = np.array([[1.0], [3.0], [2.0], [9.0]])
    correlation, pairs = lead_lag.pairwise_correlation(follower, leaders)
    assert correlation[0] == pytest.approx(0.5, rel=1e-12)
    assert pairs[0] == 3


def test_correlation_drops_incomplete_pairs_column_by_column_like_numpy() -> None:
    generator = np.random.default_rng(1)
    follower = generator.normal(1e6, 1.0, 200)  # a large mean would cost digits without centring
    leaders = generator.normal(0.0, 1.0, (200, 3)) + 0.5 * (follower[:, None] - 1e6)
    leaders[:17, 1] = NAN
    follower[40] = NAN
    correlation, pairs = lead_lag.pairwise_correlation(follower, leaders)
    for column in range(3):
        both = np.isfinite(follower) & np.isfinite(leaders[:, column])
        expected = np.corrcoef(follower[both], leaders[both, column])[0, 1]
        assert correlation[column] == pytest.approx(expected, rel=1e-9)
        assert pairs[column] == both.sum()


def test_a_constant_series_has_no_correlation() -> None:
    correlation, _ = lead_lag.pairwise_correlation(np.arange(30.0), np.full((30, 1), 7.0))
    assert np.isnan(correlation[0])


def test_resampling_by_counts_equals_resampling_the_rows() -> None:
    generator = np.random.default_rng(2)
    follower, leaders = generator.normal(size=60), generator.normal(size=(60, 4))
    leaders[:5, 2] = NAN
    rows = generator.integers(0, 60, size=(20, 60))
    times_drawn = np.stack([np.bincount(r, minlength=60).astype(np.float64) for r in rows])
    by_counts = lead_lag.resampled_correlation(follower, leaders, times_drawn)
    by_rows = np.stack([lead_lag.pairwise_correlation(follower[r], leaders[r])[0] for r in rows])
    np.testing.assert_allclose(by_counts, by_rows, rtol=1e-9)


def _persistent(generator: np.random.Generator, months: int) -> lead_lag.Floats:
    shocks, series = generator.normal(size=months), np.zeros(months)
    for t in range(1, months):
        series[t] = 0.9 * series[t - 1] + shocks[t]
    return series


def test_a_planted_lead_of_five_months_is_found_with_a_band_above_no_lead() -> None:
    generator = np.random.default_rng(3)
    leader = _persistent(generator, 300)
    follower = np.concatenate([generator.normal(size=5), leader[:-5]]) + 0.3 * generator.normal(size=300)
    lags = list(range(13))
    result = lead_lag.lead_lag(follower, lead_lag.lag_matrix(leader, lags), lags)
    assert result.best == 5
    assert result.is_max(5)
    assert not result.is_max(4)
    assert result.lower_95[5] < result.correlation[5] < result.upper_95[5]
    assert result.difference_lower_95[5] > 0
    assert result.difference[0] == result.difference_lower_95[0] == result.difference_upper_95[0] == 0
    assert list(result.pairs[:3]) == [300, 299, 298]


def test_the_confidence_set_holds_one_lead_where_the_curve_is_steep_and_several_where_it_is_flat() -> None:
    generator = np.random.default_rng(3)
    lags = list(range(13))
    noise = generator.normal(size=300)
    steep = lead_lag.lead_lag(
        np.roll(noise, 5) + 0.3 * generator.normal(size=300), lead_lag.lag_matrix(noise, lags), lags
    )
    assert [lag for lag in lags if steep.in_confidence_set(lag)] == [5]

    smooth = np.convolve(_persistent(generator, 320), np.ones(12), mode="same")[:300]
    follower = np.roll(smooth, 6) + 0.6 * smooth.std() * _persistent(generator, 300)
    flat = lead_lag.lead_lag(follower, lead_lag.lag_matrix(smooth, lags), lags)
    held = [lag for lag in lags if flat.in_confidence_set(lag)]
    assert len(held) > 3
    assert flat.best in held
    assert flat.best_in_draws.sum() == pytest.approx(1)
    shares = flat.best_in_draws[held]
    assert shares.sum() >= lead_lag.CONFIDENCE > shares.sum() - shares.min()


def test_a_lag_without_pairs_is_in_no_confidence_set() -> None:
    generator = np.random.default_rng(9)
    follower, leader = generator.normal(size=26), generator.normal(size=26)
    result = lead_lag.lead_lag(follower, lead_lag.lag_matrix(leader, [0, 2, 3]), [0, 2, 3])
    assert np.isnan(result.best_in_draws[2])
    assert not result.in_confidence_set(2)
    assert result.best_in_draws[:2].sum() == pytest.approx(1)
    nothing = lead_lag.lead_lag(np.arange(10.0), lead_lag.lag_matrix(np.arange(10.0), [0]), [0])
    assert not nothing.in_confidence_set(0)


def test_bands_of_unrelated_series_exclude_zero_about_as_rarely_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lead_lag, "BOOTSTRAP_REPLICATIONS", 200)
    simulations, excluded, gained = 60, 0, 0
    for seed in range(simulations):
        generator = np.random.default_rng(seed)
        follower, leader = generator.normal(size=200), generator.normal(size=200)
        result = lead_lag.lead_lag(follower, lead_lag.lag_matrix(leader, [0, 6]), [0, 6])
        excluded += int(result.lower_95[1] > 0 or result.upper_95[1] < 0)
        gained += int(result.difference_lower_95[1] > 0 or result.difference_upper_95[1] < 0)
    # Nominal 5 %: more than 10 of 60 would come up less than once in a thousand runs, none at all in one of twenty.
    assert 1 <= excluded <= 10
    assert gained <= 10


def test_bands_are_the_same_on_every_run() -> None:
    generator = np.random.default_rng(6)
    follower, leader = _persistent(generator, 120), _persistent(generator, 120)
    leaders = lead_lag.lag_matrix(leader, [0, 3])
    first, second = lead_lag.lead_lag(follower, leaders, [0, 3]), lead_lag.lead_lag(follower, leaders, [0, 3])
    assert np.array_equal(first.lower_95, second.lower_95)
    assert np.array_equal(first.difference_upper_95, second.difference_upper_95)


def test_persistence_lengthens_the_block_and_a_third_of_the_sample_bounds_it() -> None:
    noise = np.random.default_rng(7).normal(size=200)
    persistent = _persistent(np.random.default_rng(8), 200)
    assert lead_lag.circular_block_length(noise) < lead_lag.circular_block_length(noise, persistent) <= 67


def test_under_24_pairs_there_is_no_figure() -> None:
    generator = np.random.default_rng(9)
    follower, leader = generator.normal(size=26), generator.normal(size=26)
    result = lead_lag.lead_lag(follower, lead_lag.lag_matrix(leader, [0, 2, 3]), [0, 2, 3])
    assert list(result.pairs) == [26, 24, 23]
    assert np.isfinite(result.correlation[:2]).all()
    assert np.isnan(result.correlation[2])
    assert np.isnan(result.lower_95[2])


def test_a_sample_without_any_usable_lag_says_so_instead_of_failing() -> None:
    result = lead_lag.lead_lag(np.arange(10.0), lead_lag.lag_matrix(np.arange(10.0), [0]), [0])
    assert result.best is None
    assert not result.is_max(0)
    assert np.isnan(result.correlation[0])


@pytest.mark.parametrize(("rows", "columns"), [(29, 2), (30, 1)])
def test_leaders_of_another_shape_are_refused(rows: int, columns: int) -> None:
    with pytest.raises(MetalsError, match="leaders have shape"):
        lead_lag.lead_lag(np.arange(30.0), np.zeros((rows, columns)), [0, 1])


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(MetalsError, match="empty sample"):
        lead_lag.lead_lag(np.array([]), np.zeros((0, 1)), [0])


def test_a_formula_is_computed_once_for_the_same_arguments_bit_by_bit() -> None:
    computed: list[tuple[float, str]] = []

    @remembered(2)
    def total(values: np.ndarray, unit: str = "pct") -> float:
        computed.append((float(values.sum()), unit))
        return computed[-1][0]

    ones = np.ones(3)
    assert total(ones) == total(np.ones(3)) == 3.0
    assert len(computed) == 1
    nearly = ones.copy()
    nearly[0] = np.nextafter(1.0, 2.0)
    changed: tuple[Callable[[], float], ...] = (
        lambda: total(nearly),
        lambda: total(np.ones((3, 1))),
        lambda: total(np.ones(3, dtype=np.float32)),
        lambda: total(ones, "pp"),
        lambda: total(ones),  # the oldest of more than two is forgotten
    )
    for different in changed:
        before = len(computed)
        different()
        assert len(computed) == before + 1

    @remembered(2)
    def second(parts: list[np.ndarray], *, more: np.ndarray) -> float:
        return float(parts[0][1000] + more[1000])

    long, longer = np.zeros(2_000), np.zeros(2_000)
    longer[1000] = 1.0  # the text of an array leaves out its middle
    assert [second([long], more=long), second([longer], more=long), second([long], more=longer)] == [0.0, 1.0, 1.0]


def test_the_past_month_ends_do_not_repeat_the_builds_regressions(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(18)
    y, x = rng.normal(size=(70, 2)), rng.normal(size=(70, 3))
    first = attribution.one_step_ahead(y, x)
    monkeypatch.setattr(np.linalg, "lstsq", None)  # whatever fits again, fails
    assert np.array_equal(attribution.one_step_ahead(y[:69], x[:69]), first[:69], equal_nan=True)


@pytest.mark.parametrize(("rows", "length"), [(1, 1), (33, 11), (60, 1), (120, 40), (200, 7), (431, 23)])
def test_resamples_are_those_of_a_circular_block_bootstrap(rows: int, length: int) -> None:
    drawn = lead_lag.times_drawn(rows, length)
    peer = CircularBlockBootstrap(length, np.arange(rows), seed=lead_lag.BOOTSTRAP_SEED)
    expected = [np.bincount(at[0], minlength=rows) for at, _ in peer.bootstrap(lead_lag.BOOTSTRAP_REPLICATIONS)]
    assert np.array_equal(drawn, np.stack(expected))
    assert set(drawn.sum(axis=1)) == {rows}
