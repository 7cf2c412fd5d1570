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
    ppi, m1, m2 = (dict(built.execute(newest, [f"cn_{name}_yoy_pct"]).fetchall()) for name in ("ppi", "m1", "m2"))
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
