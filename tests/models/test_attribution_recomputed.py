"""The attribution of the newest windows, computed again from the raw figures with statsmodels alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from itertools import permutations

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm

Months = dict[int, float]  # by months counted from year 0

MACRO = ["us_breakeven_inflation", "us_dollar", "us_real_yield"]
CHINA = ["china_exports", "china_money_gap"]
GROUPS = dict.fromkeys(MACRO, "macro") | dict.fromkeys(CHINA, "china") | {"geopolitical_risk": "geopolitics"}
GROUPS |= {"us_trade_policy_uncertainty": "trade"}
NEW_M1 = 12 * 2025  # January 2025, the first rate under the new definition


def number(day: date) -> int:
    return 12 * day.year + day.month - 1


def newest(built: duckdb.DuckDBPyConnection, series: str) -> dict[date, float]:
    query = "select period, arg_max(value, known_at) from raw.observation where series_id = ? group by period"
    return {period: value for period, value in built.execute(query, [series]).fetchall() if value is not None}


def monthly(built: duckdb.DuckDBPyConnection, series: str) -> Months:
    return {number(period): value for period, value in newest(built, series).items()}


def means(figures: dict[date, float]) -> Months:
    days: dict[int, list[float]] = {}
    for period, value in figures.items():
        days.setdefault(number(period), []).append(value)
    return {month: math.fsum(values) / len(values) for month, values in days.items() if len(values) >= 15}


def changes(levels: Months, of: Callable[[float, float], float], lag: int = 0) -> Months:
    return {m + lag: of(level, levels[m - 1]) for m, level in levels.items() if m - 1 in levels}


def difference(now: float, before: float) -> float:
    return now - before


def log_change(now: float, before: float) -> float:
    return 100 * math.log(now / before)


@pytest.fixture(scope="module")
def drivers(built: duckdb.DuckDBPyConnection) -> dict[str, Months]:
    nominal, real = newest(built, "fred_dgs10_pct"), newest(built, "fred_dfii10_pct")
    m1, m2 = monthly(built, "cn_m1_yoy_pct"), monthly(built, "cn_m2_yoy_pct")
    gap = changes({m: m1[m] - m2[m] for m in m1.keys() & m2.keys()}, difference, lag=1)
    del gap[NEW_M1 + 1]
    exports = monthly(built, "cn_exports_yoy_pct")
    smooth = {m: math.fsum(exports[m - i] for i in range(3)) / 3 for m in exports if {m - 1, m - 2} <= exports.keys()}
    return {
        "us_real_yield": changes(means(real), difference),
        "us_breakeven_inflation": changes(
            means({d: nominal[d] - real[d] for d in nominal.keys() & real.keys()}), difference
        ),
        "us_dollar": changes(means(newest(built, "fred_dtwexbgs_index")), log_change),
        "china_money_gap": gap,
        "china_exports": changes(smooth, difference, lag=1),
        "us_trade_policy_uncertainty": changes(monthly(built, "tpu_monthly_index"), log_change),
        "geopolitical_risk": changes(monthly(built, "gpr_recent_index"), log_change),
    }


def returns(built: duckdb.DuckDBPyConnection, series: str) -> Months:
    return changes(monthly(built, series), log_change)


def fitted(y: Months, drivers: dict[str, Months], names: list[str], last: int, length: int):  # type: ignore[no-untyped-def]
    rows = [m for m in range(last - length + 1, last + 1) if m in y and all(m in drivers[n] for n in names)]
    design = sm.add_constant(np.array([[drivers[n][m] for n in names] for m in rows]))
    return sm.OLS(np.array([y[m] for m in rows]), design)


# A window before any index ends, and the newest one: the drivers that can be used differ.
CASES = [
    ("copper", "wb_copper_usd_per_tonne", date(2019, 12, 1), sorted(GROUPS)),
    ("gold", "wb_gold_usd_per_troy_ounce", date(2026, 5, 1), sorted([*MACRO, *CHINA, "geopolitical_risk"])),
    ("palladium", "imf_palladium_usd_per_troy_ounce", date(2025, 8, 1), sorted([*MACRO, *CHINA, "geopolitical_risk"])),
]


@pytest.mark.parametrize(("metal", "series", "month", "names"), CASES)
def test_betas_t_statistics_and_shares_are_those_of_the_raw_figures(
    built: duckdb.DuckDBPyConnection,
    drivers: dict[str, Months],
    metal: str,
    series: str,
    month: date,
    names: list[str],
) -> None:
    y = returns(built, series)
    model = fitted(y, drivers, names, number(month), 60)
    expected = model.fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}, use_t=True)
    rows = built.execute(
        "select regressor_id, beta, beta_standard_error, beta_t_statistic, beta_p_value from metal_attribution_betas "
        "where metal_id = ? and month = ? and beta is not null order by regressor_id",
        [metal, month],
    ).fetchall()
    assert [row[0] for row in rows] == names
    for place, (_, *figures) in enumerate(rows, 1):
        of_driver = [expected.params[place], expected.bse[place], expected.tvalues[place], expected.pvalues[place]]
        assert figures == pytest.approx(of_driver, rel=1e-9)

    used, r2, adjusted, intercept, *shares = built.execute(
        "select months_used, r_squared, r_squared_adjusted, intercept_pct, share_macro, share_china, share_trade, "
        "share_geopolitics from metal_attribution where metal_id = ? and month = ?",
        [metal, month],
    ).fetchall()[0]
    assert used == model.nobs
    assert [r2, adjusted, intercept] == pytest.approx(
        [expected.rsquared, expected.rsquared_adj, expected.params[0]], rel=1e-9
    )
    of_groups = dict(zip(["macro", "china", "trade", "geopolitics"], shares, strict=True))
    there = sorted({GROUPS[name] for name in names})
    assert sorted(g for g, share in of_groups.items() if share is not None) == there

    def explained(groups: tuple[str, ...]) -> float:
        columns = [0] + [i for i, name in enumerate(names, 1) if GROUPS[name] in groups]
        return float(sm.OLS(model.endog, model.exog[:, columns]).fit().rsquared)

    for group in there:
        added = [
            explained(order[: order.index(group) + 1]) - explained(order[: order.index(group)])
            for order in permutations(there)
        ]
        assert of_groups[group] == pytest.approx(np.mean(added), rel=1e-9)


def test_the_recent_share_and_the_error_out_of_sample_are_those_of_the_raw_figures(
    built: duckdb.DuckDBPyConnection, drivers: dict[str, Months]
) -> None:
    names, last = sorted(MACRO + CHINA), number(date(2026, 5, 1))
    for metal, series in (("copper", "wb_copper_usd_per_tonne"), ("gold", "wb_gold_usd_per_troy_ounce")):
        y = returns(built, series)
        actual, explained = [], []
        for month in range(last - 35, last + 1):
            # The change of January 2025 compares two definitions: its month has no explanation, and the window that
            # ends with it does without the driver.
            if month == NEW_M1 + 1:
                continue
            used = [n for n in names if n != "china_money_gap"] if month == NEW_M1 + 2 else names
            coefficients = fitted(y, drivers, used, month - 1, 60).fit().params
            actual.append(y[month])
            explained.append(sum(b * drivers[n][month] for b, n in zip(coefficients[1:], used, strict=True)))
        a, e = np.array(actual), np.array(explained)
        gain = sm.OLS(2 * a * e, np.ones(a.size)).fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True})
        recent = fitted(y, drivers, names, last, 36)
        (row,) = built.execute(
            "select oos_macroeconomy_months, oos_macroeconomy_r_squared, oos_macroeconomy_rmse_pct, "
            "oos_macroeconomy_rmse_no_change_pct, oos_macroeconomy_clark_west_t, recent_months_used, "
            "recent_macroeconomy_r_squared_adjusted from metal_attribution where metal_id = ? and month = '2026-05-01'",
            [metal],
        ).fetchall()
        assert list(row) == pytest.approx(
            [
                35,
                1 - ((a - e) ** 2).sum() / (a**2).sum(),
                math.sqrt(((a - e) ** 2).mean()),
                math.sqrt((a**2).mean()),
                gain.tvalues[0],
                recent.nobs,
                recent.fit().rsquared_adj,
            ],
            rel=1e-9,
        )


def test_what_cannot_be_used_is_named_and_nothing_rests_on_a_later_figure(built: duckdb.DuckDBPyConnection) -> None:
    trade, geopolitics, ai, complete = built.execute(
        "select trade_gap_reason, geopolitics_gap_reason, ai_gap_reason, macroeconomy_is_complete "
        "from metal_attribution where metal_id = 'gold' and month = '2026-05-01'"
    ).fetchall()[0]
    assert trade == "Trade policy uncertainty: no figure after 2025-03"
    assert geopolitics is None
    assert "of 60 months, the first 2024-08" in ai
    assert complete
    assert built.execute(
        "select count(*) from metal_attribution as a where a.known_at < (select max(c.known_at) from "
        "intermediate.int_attribution__changes as c where c.month = a.month)"
    ).fetchall() == [(0,)]
    parts = "coalesce(share_macro, 0) + coalesce(share_china, 0) + coalesce(share_trade, 0) "
    parts += "+ coalesce(share_geopolitics, 0) + coalesce(share_ai, 0)"
    worst = built.execute(f"select max(abs({parts} - r_squared)), count(*) from metal_attribution").fetchall()[0]
    assert worst[0] < 1e-12
    assert worst[1] > 2000


def test_the_shares_beside_the_rule_of_c0_are_those_of_the_families(built: duckdb.DuckDBPyConnection) -> None:
    rows = built.execute(
        "select indicator, value, source_key from claim_evidence "
        "where claim_id = 'C0' and (indicator like '%share_36m' or indicator like '%oos_r_squared')"
    ).fetchall()
    assert len(rows) == 6
    for indicator, value, key in rows:
        family, month = key.split("|")
        column = "recent_macroeconomy_r_squared_adjusted" if indicator.endswith("36m") else "oos_macroeconomy_r_squared"
        members = built.execute(
            f"select {column} from metal_attribution where family = ? and month = ?", [family, month]
        ).fetchall()
        assert value == pytest.approx(sum(v for (v,) in members) / len(members), rel=1e-9)
