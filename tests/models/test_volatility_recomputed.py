"""The share of metals' volatility that goes with the macroeconomy's, computed again from the raw figures with numpy."""

from __future__ import annotations

import math
from datetime import date

import duckdb
import numpy as np
import pytest

from tests.models.test_attribution_recomputed import Months, changes, difference, log_change, means, monthly, newest

FAMILIES = {
    "precious": ("wb_gold_usd_per_troy_ounce", "wb_silver_usd_per_troy_ounce"),
    "base": tuple(f"wb_{m}_usd_per_tonne" for m in ("aluminium", "copper", "lead", "nickel", "tin", "zinc")),
}
MACROECONOMY = ("rates", "dollar", "inflation", "policy_uncertainty")


def over_twelve_months(figures: Months, statistic: str, least: int = 12) -> Months:
    found = {}
    for month in figures:
        window = [figures[m] for m in range(month - 11, month + 1) if m in figures]
        if len(window) >= least:
            value = np.std(window, ddof=1) if statistic == "deviation" else math.exp(np.mean(np.log(window)))
            if value > 0:
                found[month] = math.log(value)
    return found


@pytest.fixture(scope="module")
def volatility(built: duckdb.DuckDBPyConnection) -> dict[str, Months]:
    moves = {
        "rates": changes(means(newest(built, "fred_dgs10_pct")), difference),
        "dollar": changes(means(newest(built, "fred_dtwexbgs_index")), log_change),
        "inflation": changes(monthly(built, "fred_cpiaucsl_index"), log_change),
        **{s: changes(monthly(built, s), log_change) for series in FAMILIES.values() for s in series},
    }
    # A month of consumer prices was never published; of metals every month counts.
    found = {n: over_twelve_months(f, "deviation", 12 if n.startswith("wb_") else 10) for n, f in moves.items()}
    uncertainty = monthly(built, "epu_us_news_index")
    return found | {"policy_uncertainty": over_twelve_months(uncertainty, "mean")}


def number(day: date) -> int:
    return 12 * day.year + day.month - 1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("sample", ["since_1990", "last_10y"])
def test_shares_and_bands(
    built: duckdb.DuckDBPyConnection, volatility: dict[str, Months], family: str, sample: str
) -> None:
    rows = built.execute(
        "select driver_id, first_month, last_month, months, drivers_used, correlation, correlation_lower_95,"
        " correlation_upper_95, share, share_upper_95, block_length_months from metal_volatility_drivers"
        " where family = ? and sample = ?",
        [family, sample],
    ).fetchall()
    last = max(volatility[FAMILIES[family][0]])
    months = range(last - 119 if sample == "last_10y" else 12 * 1990, last + 1)
    compared = 0
    for driver, first_month, last_month, used, drivers, *figures, block in rows:
        names = drivers.split(", ")
        if not set(names) <= set(MACROECONOMY):
            continue
        both = [m for m in months if all(m in volatility[n] for n in (*names, *FAMILIES[family]))]
        assert (used, number(first_month), number(last_month)) == (len(both), both[0], both[-1])
        assert used >= 0.9 * len(months)
        metals = np.mean([[volatility[n][m] for m in both] for n in FAMILIES[family]], axis=0)
        index = np.mean([standardised([volatility[n][m] for m in both]) for n in names], axis=0)
        correlation = np.corrcoef(metals, index)[0, 1]
        assert figures[0] == pytest.approx(correlation, abs=1e-9), driver
        assert figures[3] == pytest.approx(max(correlation, 0) ** 2, abs=1e-9)
        assert figures[4] == pytest.approx(max(figures[2], 0) ** 2, abs=1e-9)
        # Other draws of the same blocks.
        draws = resampled(metals, index, block)
        assert figures[1:3] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.08), driver
        compared += 1
    assert compared >= 3
    assert {"index", "macroeconomy"} <= {row[0] for row in rows}


def standardised(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (np.array(values) - np.mean(values)) / np.std(values)


def resampled(
    a: np.ndarray[tuple[int], np.dtype[np.float64]], b: np.ndarray[tuple[int], np.dtype[np.float64]], block: int
) -> list[float]:
    random = np.random.default_rng(1)
    rows = a.size
    found = []
    for _ in range(2000):
        starts = random.integers(0, rows, -(-rows // block))
        drawn = ((starts[:, None] + np.arange(block)).ravel() % rows)[:rows]
        found.append(float(np.corrcoef(a[drawn], b[drawn])[0, 1]))
    return found


def test_the_engines_of_the_thesis_are_in_the_index_where_their_months_suffice(
    built: duckdb.DuckDBPyConnection,
) -> None:
    rows = built.execute(
        "select d.drivers_used, d.first_month, count(m.month) from metal_volatility_drivers as d"
        " left join intermediate.int_volatility__monthly as m on m.subject = 'ai_capex'"
        " and m.month > d.last_month - interval 120 month and m.month <= d.last_month"
        " where d.sample = 'last_10y' and d.driver_id = 'index' group by all"
    ).fetchall()
    assert rows
    for drivers, _, months in rows:
        assert "fiscal" in drivers
        assert ("ai_capex" in drivers) == (months >= 108)
    of_macroeconomy = built.execute(
        "select distinct drivers_used from metal_volatility_drivers where driver_id = 'macroeconomy'"
    ).fetchall()
    assert all(set(names.split(", ")) <= set(MACROECONOMY) for (names,) in of_macroeconomy)
