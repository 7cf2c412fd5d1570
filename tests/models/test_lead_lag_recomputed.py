"""The lead-lag table, computed again outside the warehouse."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pytest


def test_lead_lag_correlations_are_those_of_the_raw_figures(built: duckdb.DuckDBPyConnection) -> None:
    newest = """
        select period, arg_max(value, known_at) from raw.observation where series_id = ? group by period order by period
    """
    reported, m1, m2 = (dict(built.execute(newest, [f"cn_{name}_yoy_pct"]).fetchall()) for name in ("ppi", "m1", "m2"))
    ppi = reported | dict(built.execute(newest, ["nbs_ppi_yoy_pct"]).fetchall())  # to one decimal the same, and newer
    gap = {month: m1[month] - m2[month] for month in m1.keys() & m2.keys()}
    rows = built.execute(
        "select lag_months, correlation, pairs from lead_lag_money_ppi where sample = 'full' order by lag_months"
    ).fetchall()
    assert [lag for lag, _, _ in rows] == list(range(19))
    for lag, correlation, pairs in rows:
        x, y = [], []
        for month, value in ppi.items():
            index = 12 * month.year + month.month - 1 - lag
            earlier = date(index // 12, index % 12 + 1, 1)
            if earlier in gap:
                x.append(gap[earlier])
                y.append(value)
        assert pairs == len(x)
        assert correlation == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)


def test_the_confidence_set_of_leads_is_that_of_resamples_drawn_row_by_row(built: duckdb.DuckDBPyConnection) -> None:
    months = built.execute(
        "select ppi_yoy_pct, m1_m2_gap_pp, month >= date '2008-01-01' from driver_china_cycle order by month"
    ).fetchall()
    ppi, gap, inside = np.array(months, dtype=float).T
    earlier = [np.concatenate([np.full(lag, np.nan), gap])[: len(gap)] for lag in range(19)]
    y, x = ppi[inside == 1], np.stack(earlier, axis=1)[inside == 1]
    published = built.execute(
        "select best_in_draws_ratio, in_confidence_set_95, block_length_months from lead_lag_money_ppi "
        "where sample = 'full' order by lag_months"
    ).fetchall()
    block = published[0][2]
    generator, best = np.random.default_rng(1), np.zeros(19)
    for _ in range(600):
        starts = generator.integers(len(y), size=-(-len(y) // block))
        rows = (starts[:, None] + np.arange(block)).ravel()[: len(y)] % len(y)
        drawn = []
        for lag in range(19):
            both = np.isfinite(x[rows, lag]) & np.isfinite(y[rows])
            drawn.append(np.corrcoef(x[rows, lag][both], y[rows][both])[0, 1])
        best[np.argmax(drawn)] += 1 / 600
    # Another generator and 600 draws: a share has a standard error of two hundredths at most.
    assert [share for share, _, _ in published] == pytest.approx(best, abs=0.07)
    held = sorted((share for share, is_in, _ in published if is_in), reverse=True)
    assert sum(held) >= 0.95 > sum(held[:-1])


def test_a_sample_ends_with_its_last_month_of_producer_prices(built: duckdb.DuckDBPyConnection) -> None:
    ends = """
        select max(month), max_by(known_at, month) from driver_china_cycle where ppi_yoy_pct is not null
        union all
        select distinct last_month, known_at from lead_lag_money_ppi where sample in ('full', '2020_now')
    """
    [prices, sample] = built.execute(ends).fetchall()
    assert sample == prices
