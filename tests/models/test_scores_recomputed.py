"""Driver scores, composites, gaps to prices and the cross-section, computed again outside the warehouse."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy import stats

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
Months = dict[int, float]  # months counted from year 0, so that a year before is twelve less


def number(day: date) -> int:
    return 12 * day.year + day.month - 1


def day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def newest(built: duckdb.DuckDBPyConnection, series: str) -> dict[date, float]:
    query = "select period, arg_max(value, known_at) from raw.observation where series_id = ? group by period"
    return {period: value for period, value in built.execute(query, [series]).fetchall() if value is not None}


def monthly(figures: dict[date, float]) -> Months:
    return {number(period): value for period, value in figures.items()}


def means_of_days(figures: dict[date, float]) -> Months:
    """Means of the months with 15 figures at least, the last no more than five days before the month's end."""
    days: dict[int, dict[date, float]] = {}
    for period, value in figures.items():
        days.setdefault(number(period), {})[period] = value
    return {
        month: math.fsum(read.values()) / len(read)
        for month, read in days.items()
        if len(read) >= 15 and (day(month + 1) - max(read)).days <= 6
    }


def zscore(past: list[float], least: int) -> float | None:
    """The last of `past` against all of it."""
    if len(past) < least or np.std(past, ddof=1) == 0:
        return None
    return float((past[-1] - np.mean(past)) / np.std(past, ddof=1))


def fiscal_impulse(built: duckdb.DuckDBPyConnection) -> Months:
    deficit = monthly(newest(built, "fred_mtsds133fms_usd_millions"))
    gdp = monthly(newest(built, "fred_gdp_usd_billions_saar"))
    share: Months = {}
    for month in deficit:
        year = [deficit.get(month - back) for back in range(12)]
        # A quarter counts from its last month on, for six months at most.
        quarter = next((month - back for back in range(2, 8) if month - back in gdp), None)
        if None in year or quarter is None:
            continue
        output = [gdp.get(quarter - 3 * back) for back in range(4)]
        if None not in output:
            share[month] = 100 * (-1e6 * math.fsum(year)) / (1e9 * math.fsum(output) / 4)  # type: ignore[arg-type]
    return {month: share[month] - share[month - 12] for month in share if month - 12 in share}


def readings(built: duckdb.DuckDBPyConnection) -> dict[str, Months]:
    """By driver: figures by the month their period ends in."""
    real = means_of_days(newest(built, "fred_dfii10_pct"))
    dollar = means_of_days(newest(built, "fred_dtwexbgs_index"))
    m1, m2 = (monthly(newest(built, f"cn_{name}_yoy_pct")) for name in ("m1", "m2"))
    exports = monthly(newest(built, "cn_exports_yoy_pct"))
    capex = built.execute(
        """
        select calendar_quarter, like_for_like_yoy_pct from driver_ai_capex_aggregate
        where like_for_like_yoy_pct is not null
        """
    ).fetchall()
    return {
        "us_fiscal_impulse": fiscal_impulse(built),
        "us_real_yield_change": {m: real[m] - real[m - 12] for m in real if m - 12 in real},
        "us_dollar_change": {m: 100 * (dollar[m] / dollar[m - 12] - 1) for m in dollar if m - 12 in dollar},
        "china_money_gap": {m: round(m1[m] - m2[m], 2) for m in m1.keys() & m2.keys()},
        "china_export_growth": {
            m: math.fsum(exports[m - back] for back in range(3)) / 3
            for m in exports
            if all(m - back in exports for back in range(3))
        },
        "ai_capex_growth": {number(quarter) + 2: growth for quarter, growth in capex},
    }


@dataclass(frozen=True)
class Score:
    value: float | None
    zscore: float | None
    last_month: int


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open() as lines:
        return list(csv.DictReader(lines))


@dataclass(frozen=True)
class Recomputed:
    scores: dict[tuple[str, int], Score]  # by driver and month
    composites: dict[tuple[str, int], float]  # by metal and month
    parts: dict[tuple[str, int], dict[str, float]]  # contributions by driver


@pytest.fixture(scope="module")
def recomputed(built: duckdb.DuckDBPyConnection) -> Recomputed:
    last = number(built.execute("select max(month) from driver_scores").fetchone()[0])  # type: ignore[index]
    figures = readings(built)
    scores: dict[tuple[str, int], Score] = {}
    for driver in seed("drivers"):
        own = figures[driver["driver_id"]]
        lag, limit = int(driver["publication_lag_months"]), int(driver["staleness_limit_months"])
        ordered = sorted(own)
        for month in range(ordered[0] + lag, last + 1) if own else ():
            out = [m for m in ordered if m + lag <= month]
            fresh = month - out[-1] <= limit
            score = zscore([own[m] for m in out], int(driver["min_readings"])) if fresh else None
            scores[driver["driver_id"], month] = Score(own[out[-1]] if fresh else None, score, out[-1])
    exposures: dict[str, dict[str, tuple[int, float]]] = {}
    for row in seed("driver_exposures"):
        exposures.setdefault(row["metal_id"], {})[row["driver_id"]] = (int(row["sign"]), float(row["weight"]))
    composites: dict[tuple[str, int], float] = {}
    parts: dict[tuple[str, int], dict[str, float]] = {}
    for metal, drivers in exposures.items():
        for month in {month for _, month in scores}:
            there = {d: scores[d, month].zscore for d in drivers if (d, month) in scores}
            there = {d: z for d, z in there.items() if z is not None}
            weight = sum(drivers[d][1] for d in there)
            parts[metal, month] = {
                d: drivers[d][0] * drivers[d][1] * min(3, max(-3, z)) / weight
                for d, z in there.items()
                if z is not None
            }
            if len(there) >= 2 and weight >= 0.5 * sum(w for _, w in drivers.values()):
                composites[metal, month] = math.fsum(parts[metal, month].values())
    return Recomputed(scores, composites, parts)


def close(expected: float) -> object:
    return pytest.approx(expected, rel=1e-9, abs=1e-11)


def test_every_score_is_that_of_the_raw_figures(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    rows = built.execute(
        "select metal_id, driver_id, month, value, zscore, contribution, staleness_months from driver_scores"
    ).fetchall()
    recorded = {driver for driver, _ in recomputed.scores}
    assert {row[:2] for row in rows} == {
        (row["metal_id"], row["driver_id"]) for row in seed("driver_exposures") if row["driver_id"] in recorded
    }
    assert sum(row[4] is not None for row in rows) > 5000
    for metal, driver, month, value, score, contribution, staleness in rows:
        again = recomputed.scores[driver, number(month)]
        assert staleness == number(month) - again.last_month
        assert (value is None, score is None) == (again.value is None, again.zscore is None), (driver, month)
        if again.value is not None:
            assert value == close(again.value), (driver, month)
        if again.zscore is not None:
            assert score == close(again.zscore), (driver, month)
            assert contribution == close(recomputed.parts[metal, number(month)][driver]), (metal, driver, month)


def test_composites_are_the_sums_of_their_parts(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    rows = built.execute(
        "select metal_id, month, composite from driver_composites where composite is not null"
    ).fetchall()
    assert {(metal, number(month)) for metal, month, _ in rows} == recomputed.composites.keys()
    for metal, month, composite in rows:
        assert composite == close(recomputed.composites[metal, number(month)]), (metal, month)
    # To the last bit, in whatever order: no tolerance.
    parts = built.execute(
        "select metal_id, month, contribution from driver_scores where contribution is not null"
    ).fetchall()
    by_row: dict[tuple[str, date], list[float]] = {}
    for metal, month, contribution in parts:
        by_row.setdefault((metal, month), []).append(contribution)
    for metal, month, composite in rows:
        assert composite == sum(by_row[metal, month]) == sum(reversed(by_row[metal, month]))


def test_gaps_between_prices_and_drivers(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    rows = built.execute(
        """
        select metal_id, series_id, month, price_zscore, composite_zscore, gap_zscore, is_open
        from divergence_price_driver order by metal_id, month
        """
    ).fetchall()
    assert len(rows) > 1000
    for metal in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == metal]
        (series,) = {row[1] for row in own}
        price = monthly(newest(built, series))
        months = sorted(m for m in price if m - 12 in price and (metal, m) in recomputed.composites)
        assert [day(m) for m in months] == [row[2] for row in own]
        returns, sums, gaps = [], [], []
        side = 0  # 1 or -1 while the gap is open on that side
        previous = None
        for m, (_, _, _, price_score, composite_score, gap_score, is_open) in zip(months, own, strict=True):
            returns.append(math.log(price[m] / price[m - 12]))
            sums.append(recomputed.composites[metal, m])
            left, right = zscore(returns, 24), zscore(sums, 24)
            if left is None or right is None:
                assert price_score is None
                continue
            assert (price_score, composite_score) == (close(left), close(right))
            gaps.append(left - right)
            score = zscore(gaps, 24)
            if score is None:
                assert gap_score is None
                assert is_open is None
                continue
            assert gap_score == pytest.approx(score, rel=1e-9, abs=1e-10)
            if abs(score) >= 1.5:
                side = int(math.copysign(1, score))
            elif abs(score) < 0.75 or (previous is not None and previous * score < 0):
                side = 0
            previous = score
            assert is_open == (side != 0), (metal, day(m))


def test_the_cross_section(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    groups = {row["driver_id"]: row["driver_group"] for row in seed("drivers")}
    metals = sorted({metal for metal, _ in recomputed.composites})
    rows = built.execute(
        """
        select
            month, metals, composite_dispersion, dispersion_percentile_expanding, profiles_compared,
            rank_correlation_12m, top_metals, ai_fiscal_share_of_top_pct, ai_share_of_top_pct
        from driver_cross_section order by month
        """
    ).fetchall()
    assert len(rows) > 150
    spreads: list[float] = []
    # Composites are compared as published, on their grid: two that are equal there must be equal here.
    on_grid = {key: round(value, 10) for key, value in recomputed.composites.items()}
    for month, count, spread, percentile, profiles, correlation, top, share, ai_share in rows:
        m = number(month)
        now = {metal: on_grid[metal, m] for metal in metals if (metal, m) in on_grid}
        assert count == len(now) >= 6
        spreads.append(float(np.std([recomputed.composites[metal, m] for metal in now], ddof=1)))
        assert spread == close(spreads[-1])
        if len(spreads) >= 24:
            # The published spreads decide ties in the last digits.
            published = [row[2] for row in rows[: len(spreads)]]
            assert percentile == close(100 * np.mean(np.array(published) <= published[-1]))
        before = len([metal for metal in metals if (metal, m - 12) in on_grid])
        pairs = (
            {(now[metal], on_grid[metal, m - 12]) for metal in now if (metal, m - 12) in on_grid}
            if before >= 6
            else set()
        )
        assert profiles == len(pairs)
        if len(pairs) >= 6:
            left, right = zip(*sorted(pairs), strict=True)
            assert correlation == close(stats.spearmanr(left, right).statistic)
        else:
            assert correlation is None
        highest = sorted(now, key=lambda metal: (-now[metal], metal))[:3]
        assert top == ", ".join(sorted(highest))
        parts = [(groups[driver], part) for metal in highest for driver, part in recomputed.parts[metal, m].items()]
        size = math.fsum(abs(part) for _, part in parts)
        scored = {
            groups[driver] for (driver, at), score in recomputed.scores.items() if at == m and score.zscore is not None
        }
        for published_share, themes in ((share, {"ai", "fiscal"}), (ai_share, {"ai"})):
            if themes <= scored:
                assert published_share == close(
                    100 * math.fsum(part for group, part in parts if group in themes) / size
                )
            else:
                assert published_share is None


@pytest.mark.parametrize(
    ("table", "key", "needs"),
    [
        ("driver_scores", "copper|us_dollar_change|2026-05-01", {"us_broad_dollar_index"}),
        ("driver_composites", "copper|2026-05-01", {"us_broad_dollar_index", "china_m1_yoy_pct"}),
        ("driver_cross_section", "2026-05-01", {"us_treasury_10y_real_pct", "china_exports_yoy_pct"}),
        ("divergence_price_driver", "gold|2026-05-01", {"wb_gold_usd_per_troy_ounce", "us_broad_dollar_index"}),
        ("divergence_history", "price_driver|gold|2026-05-01", {"wb_gold_usd_per_troy_ounce"}),
        ("divergences", "money_ppi|china", {"china_ppi_yoy_pct", "china_m2_yoy_pct"}),
        ("opportunities", "copper", {"wb_copper_usd_per_tonne", "china_exports_yoy_pct"}),
        ("claim_evidence", "S2|composite_dispersion_percentile", {"us_treasury_10y_real_pct"}),
        ("driver_scores", "silver|ai_capex_growth|2026-05-01", {"AMZN", "MSFT"}),  # by filings
    ],
)
def test_a_row_goes_back_to_its_payloads(
    built: duckdb.DuckDBPyConnection, table: str, key: str, needs: set[str]
) -> None:
    rows = built.execute(
        "select input_id, payload_id from lineage where table_name = ? and row_key = ?", [table, key]
    ).fetchall()
    assert needs <= {input_id.split()[0] for input_id, _ in rows}
    known = {payload for (payload,) in built.execute("select payload_id from raw.payload").fetchall()}
    assert {payload for _, payload in rows} <= known
