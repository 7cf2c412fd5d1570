"""Figures that a reader recomputes first: states of divergences, growth over two years.

Each is computed again from the raw tables or from the columns it is said to follow, with numpy and plain loops.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pytest

CLOSE = 1e-9


def newest(built: duckdb.DuckDBPyConnection, series: str) -> dict[date, float]:
    query = "select period, arg_max(value, known_at) from raw.observation where series_id = ? group by period"
    return {period: value for period, value in built.execute(query, [series]).fetchall() if value is not None}


def months_on(day: date, months: int) -> date:
    number = 12 * day.year + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def test_a_gap_is_wider_in_the_direction_in_which_it_means_something(built: duckdb.DuckDBPyConnection) -> None:
    """Closing while open means two steps towards the side on which nothing is wrong, whatever the sign of the gap."""
    rows = built.execute(
        "select divergence_id, subject, gap, gap_zscore, is_open, members, members_changed, state "
        "from divergence_history order by 1, 2, period"
    ).fetchall()
    by_subject = defaultdict(list)
    for divergence, subject, *row in rows:
        by_subject[divergence, subject].append(row)
    one_sided, negative_and_worse = {"capex_payoff", "capacity_clearance", "coal_transition"}, 0
    for (divergence, _), record in by_subject.items():
        moves: list[float] = [0]
        for before, now in pairwise(record):
            gap, zscore, _, members, members_changed, _ = now
            assert members_changed == (members != before[3])
            side = 1 if divergence in one_sided else np.sign(gap if divergence == "trade_tightness" else zscore)
            moves.append(0 if members_changed else side * np.sign(gap - before[0]))
            if now[2] and before[2] and divergence in one_sided:
                assert (now[-1] == "closing") == (moves[-1] < 0 and moves[-2] < 0), (divergence, record[0], now)
                negative_and_worse += gap < 0 and moves[-1] > 0
    assert negative_and_worse > 0, "the case exists in the figures"


def test_growth_over_two_years_is_that_of_the_index_and_not_a_mean_of_yearly_rates(
    built: duckdb.DuckDBPyConnection,
) -> None:
    index = newest(built, "fred_ophnfb_index") | newest(built, "bls_productivity_index_2017_100")
    checked = 0
    for quarter, growth, trend, gap in built.execute(
        "select calendar_quarter, productivity_2y_annualised_pct, productivity_trend_pct, productivity_gap_pp "
        "from divergence_capex_payoff where role = 'sector' and productivity_gap_pp is not null"
    ).fetchall():
        start = months_on(quarter, -24)
        assert growth == pytest.approx(100 * (np.sqrt(index[quarter] / index[start]) - 1), rel=CLOSE)
        years = (start.year - 2004) + (start.month - 10) / 12
        factor = np.exp(np.log(index[start] / index[date(2004, 10, 1)]) / years)
        assert trend == pytest.approx(100 * (factor - 1), rel=CLOSE)
        assert gap == pytest.approx(growth - trend, rel=1e-6)
        checked += 1
    assert checked >= 20
