"""The attribution's arithmetic: by hand, against statsmodels, as properties of any data, and on planted truth."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import MetalsError
from pipelines.statistics import attribution

NAN = float("nan")


def draw(seed: int, months: int, drivers: int, series: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(months, 1))
    x = generator.normal(size=(months, drivers)) * generator.uniform(0.1, 20, drivers) + common
    y = x @ generator.normal(size=(drivers, series)) + generator.normal(size=(months, series))
    return y, x


def test_a_line_by_hand() -> None:
    # y = 1, 3, 2 at x = -1, 0, 1: slope (2 - 1) / 2 = 0.5, intercept 2; residuals -0.5, 1, -0.5 leave 1.5 of 2.
    fit = attribution.least_squares(np.array([[1.0], [3.0], [2.0]]), np.array([[-1.0], [0.0], [1.0]]))
    assert fit.coefficients[:, 0] == pytest.approx([2.0, 0.5], rel=1e-12)
    assert fit.r_squared[0] == pytest.approx(0.25, rel=1e-12)
    assert fit.r_squared_adjusted[0] == pytest.approx(1 - 0.75 * 2 / 1, rel=1e-12)


def test_coefficients_and_errors_are_those_of_statsmodels() -> None:
    y, x = draw(1, 60, 6, 4)
    fit = attribution.least_squares(y, x)
    errors, ratios, p_values = fit.inference
    for series in range(4):
        expected = sm.OLS(y[:, series], sm.add_constant(x)).fit(
            cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}, use_t=True
        )
        assert fit.coefficients[:, series] == pytest.approx(expected.params, rel=1e-12, abs=1e-12)
        assert errors[:, series] == pytest.approx(expected.bse, rel=1e-10)
        assert ratios[:, series] == pytest.approx(expected.tvalues, rel=1e-10)
        assert p_values[:, series] == pytest.approx(expected.pvalues, rel=1e-8)
        assert fit.r_squared[series] == pytest.approx(expected.rsquared, rel=1e-12)
        assert fit.r_squared_adjusted[series] == pytest.approx(expected.rsquared_adj, rel=1e-12)


def test_an_incomplete_month_is_refused() -> None:
    y, x = draw(2, 60, 2, 1)
    x[7, 1] = NAN
    with pytest.raises(MetalsError, match="complete months"):
        attribution.least_squares(y, x)
    with pytest.raises(MetalsError, match="shape"):
        attribution.least_squares(y[:3], x[:3])


def test_shares_of_unrelated_drivers_are_their_squared_correlations() -> None:
    # Columns of a Hadamard matrix are orthogonal, so the order of the groups does not matter.
    x = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    y = (3 * x[:, 0] + 4 * x[:, 1])[:, None]
    shares = attribution.group_shares(y, x, ["a", "b", "c"])
    assert shares["a"][0] == pytest.approx(9 / 25, rel=1e-12)
    assert shares["b"][0] == pytest.approx(16 / 25, rel=1e-12)
    assert shares["c"][0] == pytest.approx(0, abs=1e-12)


def test_shares_are_the_mean_over_all_orders_of_what_a_group_adds() -> None:
    y, x = draw(3, 60, 7, 2)
    groups = ["macro", "china", "macro", "ai", "trade", "macro", "china"]
    shares = attribution.group_shares(y, x, groups)
    names = sorted(set(groups))

    def r_squared(members: tuple[str, ...], series: int) -> float:
        columns = [i for i, group in enumerate(groups) if group in members]
        return float(sm.OLS(y[:, series], sm.add_constant(x[:, columns])).fit().rsquared) if columns else 0.0

    for series in range(2):
        for name in names:
            added = []
            for order in permutations(names):
                before = order[: order.index(name)]
                added.append(r_squared((*before, name), series) - r_squared(before, series))
            assert shares[name][series] == pytest.approx(np.mean(added), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    groups=st.lists(st.sampled_from("abcde"), min_size=1, max_size=8),
    months=st.integers(20, 80),
    data=st.data(),
)
def test_shares_make_r_squared_and_are_never_negative(
    seed: int, groups: list[str], months: int, data: st.DataObject
) -> None:
    y, x = draw(seed, months, len(groups), 3)
    shares = attribution.group_shares(y, x, groups)
    total = attribution.least_squares(y, x).r_squared
    assert sum(shares.values()) == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert all((share >= -1e-12).all() for share in shares.values())
    # Neither the order of the drivers nor their units matter.
    order = data.draw(st.permutations(range(len(groups))))
    scaled = attribution.group_shares(y, x[:, order] * 1000, [groups[i] for i in order])
    for name, share in shares.items():
        assert scaled[name] == pytest.approx(share, rel=1e-6, abs=1e-9)


def test_errors_out_of_sample_by_hand() -> None:
    # Explained as half of what came: errors of one half of each return, so 1 - 1/4. The mean square is (1 + 4) / 2.
    actual = np.tile([1.0, -1.0, 2.0, -2.0], 6)
    result = attribution.out_of_sample(actual, actual / 2)
    assert result is not None
    assert (result.months, result.r_squared) == (24, 0.75)
    assert result.rmse_no_change == pytest.approx(np.sqrt(2.5), rel=1e-12)
    assert result.rmse == pytest.approx(np.sqrt(2.5) / 2, rel=1e-12)
    worse = attribution.out_of_sample(actual, -actual)
    assert worse is not None
    assert worse.r_squared == -3.0
    actual[3] = NAN
    assert attribution.out_of_sample(actual, actual / 2) is None  # 23 months are too few


def test_clark_and_west_is_a_mean_over_its_newey_west_error() -> None:
    generator = np.random.default_rng(4)
    explained = generator.normal(size=40)
    actual = 0.3 * explained + generator.normal(size=40)
    result = attribution.out_of_sample(actual, explained)
    assert result is not None
    adjusted = actual**2 - ((actual - explained) ** 2 - explained**2)
    expected = sm.OLS(adjusted, np.ones(40)).fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True})
    assert result.clark_west_t == pytest.approx(expected.tvalues[0], rel=1e-10)


def test_a_driver_needs_the_last_month_enough_months_and_variation() -> None:
    window = np.random.default_rng(5).normal(size=(60, 5))
    window[-1, 0] = NAN  # stops a month early
    window[:7, 1] = NAN  # 53 of 60
    window[:, 2] = 0.0
    window[:6, 3] = NAN  # 54 of 60, enough
    assert attribution.usable(window).tolist() == [False, False, False, True, True]


def test_the_driver_with_the_fewest_months_gives_way_where_too_few_are_shared() -> None:
    window = np.random.default_rng(6).normal(size=(60, 3))
    window[:5, 0] = NAN
    window[20:24, 1] = NAN  # nine months lost together, six alone are allowed
    assert attribution.usable(window).tolist() == [False, True, True]


def test_series_with_the_same_months_are_fitted_together_and_one_that_stopped_is_not() -> None:
    series = np.random.default_rng(7).normal(size=(60, 4))
    series[3, 1] = NAN
    series[-1, 2] = NAN
    sets = [(int(months.sum()), columns) for months, columns in attribution.complete_sets(series, np.zeros((60, 1)))]
    assert sets == [(60, [0, 3]), (59, [1])]


def test_a_month_is_explained_by_the_five_years_before_it_alone() -> None:
    y, x = draw(8, 63, 2, 1)
    explained = attribution.one_step_ahead(y, x)
    assert np.isnan(explained[:60]).all()
    for month in range(60, 63):
        expected = sm.OLS(y[month - 60 : month, 0], sm.add_constant(x[month - 60 : month])).fit()
        assert explained[month, 0] == pytest.approx(x[month] @ expected.params[1:], rel=1e-10)
    changed = y.copy()
    changed[62] = 1e6
    assert attribution.one_step_ahead(changed, x)[62] == explained[62]  # the month's own return is not used


def test_planted_truth_is_found_and_a_driver_with_no_effect_is_not() -> None:
    generator = np.random.default_rng(20260108)
    x = generator.normal(size=(240, 2))
    y = (2.0 * x[:, 0] + generator.normal(size=240))[:, None]
    fit = attribution.least_squares(y[-60:], x[-60:])
    t_statistics = fit.inference[1][1:, 0]
    assert abs(t_statistics[0]) > 6
    assert abs(t_statistics[1]) < 2
    shares = attribution.group_shares(y[-60:], x[-60:], ["effect", "none"])
    assert shares["effect"][0] == pytest.approx(0.8, abs=0.1)  # 4 of 5 parts of the variance, by construction
    assert shares["none"][0] < 0.03
    found = attribution.out_of_sample(y[-36:, 0], attribution.one_step_ahead(y, x)[-36:, 0])
    nothing = attribution.out_of_sample(y[-36:, 0], attribution.one_step_ahead(y, x[:, 1:])[-36:, 0])
    assert found is not None
    assert nothing is not None
    assert found.r_squared > 0.6
    assert found.clark_west_t > 3
    assert nothing.r_squared < 0.02
    assert nothing.clark_west_t < 1.645
