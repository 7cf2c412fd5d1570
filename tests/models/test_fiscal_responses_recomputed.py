"""What real metal prices and industry did after fiscal impulses, computed again with statsmodels' own regression."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm

from tests.models.test_attribution_recomputed import Months, monthly, number

METALS = ("copper", "aluminium", "zinc", "nickel", "lead", "tin")


@pytest.fixture(scope="module")
def levels(built: duckdb.DuckDBPyConnection) -> dict[str, Months]:
    cpi = monthly(built, "fred_cpiaucsl_index")
    metals = [monthly(built, f"wb_{metal}_usd_per_tonne") for metal in METALS]
    gold = monthly(built, "wb_gold_usd_per_troy_ounce")
    together = set.intersection(*map(set, metals)) & set(cpi)
    return {
        "base_metals": {m: float(np.mean([math.log(of[m]) for of in metals])) - math.log(cpi[m]) for m in together},
        "gold": {m: math.log(v / cpi[m]) for m, v in gold.items() if m in cpi},
        "industrial_production": {m: math.log(v) for m, v in monthly(built, "fred_indpro_index").items()},
    }


@pytest.mark.parametrize("horizon", [12, 24])
def test_slopes_and_bands(built: duckdb.DuckDBPyConnection, levels: dict[str, Months], horizon: int) -> None:
    impulses = {
        number(month): value
        for month, value in built.execute(
            "select month, fiscal_impulse_12m_pp from driver_fiscal where fiscal_impulse_12m_pp is not null"
        ).fetchall()
    }
    found = {
        outcome: figures
        for outcome, *figures in built.execute(
            "select outcome, months, slope_pct_per_pp, slope_lower_95_pct_per_pp, slope_upper_95_pct_per_pp"
            " from fiscal_responses where horizon_months = ?",
            [horizon],
        ).fetchall()
    }
    assert set(found) == set(levels)
    for outcome, of in levels.items():
        months = sorted(m for m in impulses if m - 12 in of and m in of and m + horizon in of)
        growth = np.array([100 * (of[m + horizon] - of[m]) for m in months])
        design = sm.add_constant(np.array([[impulses[m], 100 * (of[m] - of[m - 12])] for m in months]))
        # With its small-sample factor n / (n - 3).
        fitted = sm.OLS(growth, design).fit(cov_type="HAC", cov_kwds={"maxlags": horizon, "use_correction": True})
        lower, upper = fitted.conf_int(0.05)[1]
        assert found[outcome][0] == len(months)
        assert found[outcome][1:] == pytest.approx([fitted.params[1], lower, upper], rel=1e-8), outcome
