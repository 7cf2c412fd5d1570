"""The spread of metals with a link to AI or fiscal policy over others, computed again from raw figures with numpy."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from tests.models.test_attribution_recomputed import changes, log_change, monthly

UNITS = dict.fromkeys(("gold", "silver", "platinum"), "troy_ounce")
ENGINES = {
    "ai": {"ai_capex_growth"},
    "fiscal": {"us_fiscal_impulse"},
    "either": {"ai_capex_growth", "us_fiscal_impulse"},
}
STUDENT_975 = {35: 2.0301079282503430}  # of 35 degrees of freedom


@pytest.mark.parametrize("engine", ENGINES)
def test_three_years_of_returns(built: duckdb.DuckDBPyConnection, engine: str) -> None:
    links: dict[str, set[str]] = {}
    for metal, driver in built.execute("select metal_id, driver_id from seeds.driver_exposures").fetchall():
        links.setdefault(metal, set()).add(driver)
    series = {metal: f"wb_{metal}_usd_per_{UNITS.get(metal, 'tonne')}" for metal in links}
    returns = {metal: changes(monthly(built, name), log_change) for metal, name in series.items()}
    last = max(returns["copper"])
    months = range(last - 35, last + 1)
    whole = [metal for metal, of in returns.items() if all(m in of for m in months)]
    exposed = sorted(m for m in whole if links[m] & ENGINES[engine])
    others = sorted(m for m in whole if not links[m] & ENGINES[engine])

    found = built.execute(
        "select exposed_metals, other_metals, months, spread_pct_per_year, spread_lower_95_pct_per_year,"
        " spread_upper_95_pct_per_year from exposure_spreads where engine = ? and sample = 'last_36m'",
        [engine],
    ).fetchall()
    assert found[0][:3] == (", ".join(exposed), ", ".join(others), 36)
    spread = [np.mean([returns[m][t] for m in exposed]) - np.mean([returns[m][t] for m in others]) for t in months]
    mean, deviations = np.mean(spread), np.array(spread) - np.mean(spread)
    variance = deviations @ deviations
    for lag in range(1, 4):
        variance += 2 * (1 - lag / 4) * (deviations[lag:] @ deviations[:-lag])
    margin = STUDENT_975[35] * np.sqrt(variance / (36 * 35))
    assert found[0][3:] == pytest.approx([12 * mean, 12 * (mean - margin), 12 * (mean + margin)], rel=1e-9)
