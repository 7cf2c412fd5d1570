"""The macro state, distances to it, later returns and the rotation test, recomputed outside the warehouse.

Implements the description of the method (docs/methods/analog.md), not the SQL, with dictionaries of months and numpy.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import date, timedelta
from itertools import pairwise
from operator import itemgetter

import duckdb
import numpy as np
import pytest

RELATIVE = 1e-9
MONTHS_PER_YEAR = 12
METALS = ("copper", "aluminium", "zinc", "nickel", "lead", "tin")
VECTOR = (
    "deficit_pct_gdp",
    "trade_openness_change_5y_pp",
    "inflation_pct",
    "inflation_change_12m_pp",
    "real_policy_rate_pct",
    "money_growth_pct",
    "industrial_growth_pct",
    "real_base_metals_log",
)
# Days from the end of the period to publication, and the age at which a figure is too old, as the catalogue has them.
LIMITS = {
    "deficit_pct_gdp": (150, 560),
    "trade_openness_change_5y_pp": (560, 1000),
    "inflation_pct": (15, 65),
    "inflation_change_12m_pp": (15, 65),
    "real_policy_rate_pct": (15, 45),
    "money_growth_pct": (29, 75),
    "industrial_growth_pct": (18, 65),
    "real_base_metals_log": (15, 50),
}

Monthly = dict[date, float]


def shifted(month: date, months: int) -> date:
    index = MONTHS_PER_YEAR * month.year + month.month - 1 + months
    return date(index // MONTHS_PER_YEAR, index % MONTHS_PER_YEAR + 1, 1)


def last_day(month: date) -> date:
    return shifted(month, 1) - timedelta(days=1)


def raw(built: duckdb.DuckDBPyConnection, series: str) -> Monthly:
    newest = "select period, arg_max(value, known_at) from raw.observation where series_id = ? group by period"
    return dict(built.execute(newest, [series]).fetchall())


def growth(figures: Monthly) -> Monthly:
    return {
        m: 100 * (v / figures[shifted(m, -MONTHS_PER_YEAR)] - 1)
        for m, v in figures.items()
        if shifted(m, -MONTHS_PER_YEAR) in figures
    }


def by_month(figures: Monthly, period_months: int, lag: int, limit: int, months: list[date]) -> Monthly:
    """The newest figure published by the end of each month and not older than the limit."""
    ends = sorted((last_day(shifted(p, period_months - 1)), v) for p, v in figures.items())
    found = {}
    for month in months:
        published = bisect_right(ends, last_day(month) - timedelta(days=lag), key=itemgetter(0))
        if published and (last_day(month) - ends[published - 1][0]).days <= limit:
            found[month] = ends[published - 1][1]
    return found


def nearest(distances: Monthly) -> list[date]:
    ranked = sorted(distances, key=lambda m: (distances[m], m))
    return ranked[: math.ceil(0.05 * len(ranked))]


class Recomputed:
    """Everything from the raw figures; `states` has a row per month and a column per part, NaN where there is none."""

    def __init__(self, built: duckdb.DuckDBPyConnection) -> None:
        (as_of,) = built.execute("select as_of from analog_summary").fetchall()[0]
        self.months = [date(1960, 1, 1)]
        while last_day(shifted(self.months[-1], 1)) <= as_of:
            self.months.append(shifted(self.months[-1], 1))
        cpi = raw(built, "fred_cpiaucsl_index")
        prices = [raw(built, f"wb_{metal}_usd_per_tonne") for metal in METALS]
        gold = raw(built, "wb_gold_usd_per_troy_ounce")
        metals = {
            m: float(np.prod([p[m] for p in prices]) ** (1 / 6))
            for m in set.intersection(*map(set, map(dict.keys, prices)))
        }
        self.prices = {
            "base_metals": metals,
            "base_metals_real": {m: 100 * v / cpi[m] for m, v in metals.items() if m in cpi},
            "gold": gold,
            "gold_real": {m: 100 * v / cpi[m] for m, v in gold.items() if m in cpi},
        }
        inflation = growth(cpi)
        self.deficit = {p: -v for p, v in raw(built, "fred_fyfsgda188s_pct_of_gdp").items() if p >= date(1959, 7, 1)}
        openness = raw(built, "wb_trade_usa_pct_of_gdp")
        parts: dict[str, Monthly] = {
            "deficit_pct_gdp": self.deficit,
            "trade_openness_change_5y_pp": {
                year: v - openness[shifted(year, -60)] for year, v in openness.items() if shifted(year, -60) in openness
            },
            "inflation_pct": inflation,
            "inflation_change_12m_pp": {
                m: v - inflation[shifted(m, -12)] for m, v in inflation.items() if shifted(m, -12) in inflation
            },
            "real_policy_rate_pct": {
                m: v - inflation[m] for m, v in raw(built, "fred_fedfunds_pct").items() if m in inflation
            },
            "money_growth_pct": growth(raw(built, "fred_m2sl_usd_billions")),
            "industrial_growth_pct": growth(raw(built, "fred_indpro_index")),
            "real_base_metals_log": {m: math.log(v) for m, v in self.prices["base_metals_real"].items()},
        }
        self.states = np.full((len(self.months), len(VECTOR)), np.nan)
        for column, name in enumerate(VECTOR):
            if name in parts:
                length = 12 if name in ("deficit_pct_gdp", "trade_openness_change_5y_pp") else 1
                values = by_month(parts[name], length, *LIMITS[name], self.months)
                self.states[:, column] = [values.get(m, math.nan) for m in self.months]

        counts = np.isfinite(self.states).sum(axis=1)
        self.newest = int(np.flatnonzero(counts >= 5)[-1])
        self.reference_month = self.months[self.newest]
        self.distances = self.distances_from(self.reference_month)
        self.ranked = sorted(self.distances, key=lambda m: (self.distances[m], m))
        self.nearest = nearest(self.distances)
        rank = {m: position for position, m in enumerate(self.ranked)}
        self.windows = [
            m for m in self.nearest if all(rank[m] <= rank.get(shifted(m, k), len(rank)) for k in range(-35, 36))
        ]

    def distances_from(self, reference_month: date) -> Monthly:
        """Of each month 36 and more months away from the reference month, in scales of all months to the newest."""
        reference = self.months.index(reference_month)
        history = self.states[: self.newest + 1]
        distances = {}
        for row, month in enumerate(self.months[: self.newest + 1]):
            squares = []
            for column in range(len(VECTOR)):
                known = history[np.isfinite(history[:, column]), column]
                difference = history[row, column] - history[reference, column]
                if known.size and np.isfinite(difference):
                    scale = 1.482602218505602 * np.median(np.abs(known - np.median(known)))
                    squares.append((difference / scale) ** 2)
            if abs(row - reference) >= 36 and len(squares) >= 5:
                distances[month] = math.sqrt(math.fsum(squares) / len(squares))
        return distances

    def after_nearest(self, distances: Monthly, asset: str, months: int) -> tuple[float, float, float, float, float]:
        """Median real return after the nearest months, its excess, the 95 % band of that, and the share of places."""
        ring = sorted(distances)
        near = np.array([m in nearest(distances) for m in ring])
        known = (self.return_pct(f"{asset}_real", m, months) for m in ring)
        returns = np.array([math.nan if r is None else r for r in known])
        medians = [float(np.nanmedian(returns[np.roll(near, place)])) for place in range(len(ring))]
        low, high = np.quantile(medians, [0.025, 0.975])
        share = float(np.mean([m >= medians[0] for m in medians]))
        return medians[0], float(medians[0] - np.nanmedian(returns)), medians[0] - high, medians[0] - low, share

    def return_pct(self, asset: str, month: date, months: int) -> float | None:
        prices = self.prices[asset]
        later = shifted(month, months)
        return 100 * (prices[later] / prices[month] - 1) if month in prices and later in prices else None


@pytest.fixture(scope="module")
def recomputed(built: duckdb.DuckDBPyConnection) -> Recomputed:
    return Recomputed(built)


def close(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=RELATIVE, abs=1e-9)


def test_every_month_has_the_state_that_was_published_by_its_end(
    built: duckdb.DuckDBPyConnection, recomputed: Recomputed
) -> None:
    rows = built.execute(f"select month, {', '.join(VECTOR)} from macro_state order by month").fetchall()
    assert [month for month, *_ in rows] == recomputed.months
    found = np.array([[math.nan if v is None else v for v in values] for _, *values in rows])
    assert np.array_equal(np.isfinite(found), np.isfinite(recomputed.states))
    np.testing.assert_allclose(found, recomputed.states, rtol=RELATIVE, atol=1e-9)
    # Inflation, real rate, deficit and metals: not an empty comparison.
    assert np.isfinite(found).sum() > 4000


def test_the_usual_deficit_is_the_mean_of_the_fiscal_years_since_1960(
    built: duckdb.DuckDBPyConnection, recomputed: Recomputed
) -> None:
    deficit, above = built.execute(
        "select deficit_pct_gdp, deficit_above_mean_pp from macro_state where month = date '2020-06-01'"
    ).fetchall()[0]
    years = [
        v for p, v in sorted(recomputed.deficit.items()) if p <= date(2018, 10, 1)
    ]  # 1960 to 2019, closed and published
    assert len(years) == 60
    assert deficit == pytest.approx(years[-1], rel=RELATIVE)
    assert above == pytest.approx(years[-1] - np.mean(years), rel=RELATIVE)


def test_distances_ranks_and_windows(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    rows = built.execute(
        "select month, reference_month, distance, is_nearest, is_independent_window, is_1970s"
        " from analog_1970s order by distance_rank"
    ).fetchall()
    assert [row[0] for row in rows] == recomputed.ranked
    assert {row[1] for row in rows} == {recomputed.reference_month}
    assert [row[2] for row in rows] == [close(recomputed.distances[m]) for m in recomputed.ranked]
    assert [row[0] for row in rows if row[3]] == recomputed.nearest
    assert [row[0] for row in rows if row[4]] == recomputed.windows
    assert [row[0] for row in rows if row[5]] == [m for m in recomputed.ranked if m.year // 10 == 197]
    for a, b in pairwise(sorted(recomputed.windows)):
        assert b >= shifted(a, 36)


def test_what_came_after_each_month(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    compared = 0
    for asset in recomputed.prices:
        for months in (12, 24, 36):
            rows = built.execute(f"select month, {asset}_return_{months}m_pct from analog_1970s").fetchall()
            for month, value in rows:
                assert value == close(recomputed.return_pct(asset, month, months)), (asset, month, months)
                compared += value is not None
    assert compared > 7000


def test_medians_after_each_set_of_months(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    samples = {
        "independent_windows": recomputed.windows,
        "nearest": recomputed.nearest,
        "all": recomputed.ranked,
        "seventies": [date(1970 + month // 12, month % 12 + 1, 1) for month in range(120)],
        "since_1960": sorted(recomputed.prices["gold"]),
    }
    usual_of = {"independent_windows": "all", "nearest": "all", "seventies": "since_1960"}
    rows = built.execute(
        "select sample, asset, horizon_months, months, median_real_return_pct, median_real_excess_pp"
        " from analog_outcomes"
    ).fetchall()
    assert len(rows) == 5 * 2 * 3

    def real_returns(sample: str, asset: str, months: int) -> list[float]:
        returns = [
            recomputed.return_pct(f"{asset}_real", m, months)
            for m in samples[sample]
            if shifted(m, months) <= recomputed.reference_month
        ]
        return [r for r in returns if r is not None]

    for sample, asset, horizon, months, median, excess in rows:
        returns = real_returns(sample, asset, horizon)
        assert months == len(returns)
        assert median == pytest.approx(np.median(returns), rel=RELATIVE)
        usual = usual_of.get(sample)
        assert excess == (usual and close(np.median(returns) - np.median(real_returns(usual, asset, horizon))))
        assert sample != "seventies" or months == 120


def test_the_band_after_the_nearest_months_is_that_of_their_places_on_the_ring(
    built: duckdb.DuckDBPyConnection, recomputed: Recomputed
) -> None:
    rows = built.execute(
        "select asset, horizon_months, independent_windows, median_real_return_pct, median_real_excess_pp,"
        " real_excess_lower_95_pp, real_excess_upper_95_pp, share_of_shifts"
        " from analog_outcomes where sample = 'nearest'"
    ).fetchall()
    assert len(rows) == 6
    for asset, horizon, windows, *figures in rows:
        assert windows == len(recomputed.windows)
        assert figures == [close(v) for v in recomputed.after_nearest(recomputed.distances, asset, horizon)]
        lower, upper = figures[2:4]
        assert upper - lower > 20, "three windows cannot be this sure"
    others = "select count(real_excess_lower_95_pp) from analog_outcomes where sample <> 'nearest'"
    assert built.execute(others).fetchall() == [(0,)]


def test_the_rule_at_months_of_the_1970s(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    rows = built.execute(
        "select reference_month, indicator, value, value_low, value_high, reading from analog_calibration"
    ).fetchall()
    assert len(rows) == 3 * 4
    for month, indicator, *figures, reading in rows:
        distances = recomputed.distances_from(month)
        if indicator == "nearest_in_1970s_ratio":
            among, of_all = (np.mean([m.year // 10 == 197 for m in some]) for some in (nearest(distances), distances))
            assert figures == [close(float(among / of_all)), None, None]
            assert reading == "supports"  # the decade is found in the decade
        elif indicator == "analog_base_metals_real_excess_36m_pp":
            median, excess, low, high, _ = recomputed.after_nearest(distances, "base_metals", 36)
            usual = median - excess
            bounds = [min(bound, bound + usual) for bound in (excess, low, high)]
            assert figures == [close(bound) for bound in bounds]
            expected = "supports" if bounds[1] > 0 else "contradicts" if bounds[2] <= 0 else "neutral"
            assert reading == expected
        elif indicator == "trade_openness_change_5y_pp":
            assert figures[0] == close(recomputed.states[recomputed.months.index(month), VECTOR.index(indicator)])
            assert reading == "contradicts"  # openness rose through the decade


def test_chance_by_rotation(built: duckdb.DuckDBPyConnection, recomputed: Recomputed) -> None:
    months = sorted(recomputed.distances)
    near = np.array([m in recomputed.nearest for m in months])
    decade = np.array([m.year // 10 == 197 for m in months])
    observed = int((near & decade).sum())
    rotated = [int((near & np.roll(decade, k)).sum()) for k in range(len(months))]
    in_decade, ratio, share = built.execute(
        "select nearest_in_1970s, nearest_in_1970s_ratio, share_of_rotations from analog_summary"
    ).fetchall()[0]
    assert in_decade == observed
    assert ratio == close(float((near & decade).sum() / near.sum() / decade.mean()))
    assert share == close(float(np.mean([count >= observed for count in rotated])))


def test_a_row_of_each_table_goes_back_to_payloads(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        """
        select table_name, count(distinct input_id)
        from lineage
        where
            (table_name = 'macro_state' and row_key = '2020-06-01')
            or (table_name = 'analog_1970s' and row_key = '1993-06-01')
            or (table_name = 'analog_outcomes' and row_key = 'seventies|gold|36')
            or (table_name = 'analog_calibration' and row_key = '1979-12-01|analog_base_metals_real_excess_36m_pp')
            or (table_name = 'analog_summary' and row_key = (select cast(as_of as varchar) from analog_summary))
            or (table_name = 'claim_evidence' and row_key = 'S1|nearest_in_1970s_ratio')
        group by table_name order by table_name
        """
    ).fetchall()
    # Deficit, openness, prices, rate, money, industry and six metals; gold too where returns are read, and the world's
    # openness beside the state.
    assert found == [
        ("analog_1970s", 13),
        ("analog_calibration", 12),
        ("analog_outcomes", 13),
        ("analog_summary", 12),
        ("claim_evidence", 12),
        ("macro_state", 13),
    ]
