"""Sums of capital expenditure and of deficits, and expanding scores, computed again in numpy, to 1e-9 of the figure."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from pipelines.settings import Settings
from pipelines.transform import history

CLOSE = {"rel": 1e-9, "abs": 1e-9}


def month_before(month: date, months: int) -> date:
    number = 12 * month.year + month.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def figures(built: duckdb.DuckDBPyConnection, series: str) -> dict[date, float]:
    """The newest value of each period, as the raw table has it."""
    rows = built.execute(
        "select period, value from raw.observation where series_id = ? order by period, known_at", [series]
    ).fetchall()
    return dict(rows)


def test_the_aggregate_is_the_sum_of_the_companies_that_have_each_leg(built: duckdb.DuckDBPyConnection) -> None:
    quarters: dict[date, list[float]] = defaultdict(list)
    rows = built.execute("""
        select q.company_id, q.calendar_quarter, q.value_usd
        from intermediate.int_filing_quarters__discrete as q
        inner join raw.catalog_company as c on q.company_id = c.company_id and c.role = 'hyperscaler'
        where q.concept = 'capex'
    """).fetchall()
    for _, quarter, value in rows:
        quarters[quarter].append(value)
    # Growth: a company's figures of the newest reports that state both quarters on one basis.
    on_basis = {
        (company, basis, quarter): (reported, value)
        for company, basis, quarter, reported, value in built.execute("""
            select q.company_id, q.basis, n.calendar_quarter, q.report_year, q.value_usd
            from intermediate.int_filing_quarters__by_basis as q
            inner join raw.catalog_company as c on q.company_id = c.company_id and c.role = 'hyperscaler'
            inner join intermediate.int_filing_calendar__quarters as n
                on q.company_id = n.company_id and q.quarter_index = n.quarter_index
            where q.concept = 'capex' and q.basis >= 0 and not q.is_recast and q.definition_rank = 1
        """).fetchall()
    }
    pairs: dict[date, dict[str, tuple[float, float]]] = defaultdict(dict)
    for (company, basis, quarter), (_, value) in sorted(on_basis.items(), key=lambda item: (item[1][0], item[0])):
        year_ago = on_basis.get((company, basis, month_before(quarter, 12)))
        if year_ago:
            pairs[quarter][company] = (value, year_ago[1])

    def growth(quarter: date, companies: set[str]) -> float | None:
        legs = [pairs[quarter][company] for company in sorted(companies)]
        return 100 * (sum(now for now, _ in legs) / sum(before for _, before in legs) - 1) if legs else None

    published = built.execute("""
        select calendar_quarter, capex_usd, companies_reporting, like_for_like_yoy_pct, like_for_like_companies,
            like_for_like_acceleration_pp, acceleration_companies
        from driver_ai_capex_aggregate where companies_reporting > 0 order by 1
    """).fetchall()
    assert len(published) > 40
    grown = 0
    for quarter, capex, reporting, yoy, companies, acceleration, accelerated in published:
        assert reporting == len(quarters[quarter])
        # Fewer than three of the five are no group, in sums and in growth.
        assert capex == (pytest.approx(float(np.sum(quarters[quarter])), **CLOSE) if reporting >= 3 else None)
        now, before = set(pairs[quarter]), month_before(quarter, 12)
        assert companies == len(now)
        assert yoy == (pytest.approx(growth(quarter, now), **CLOSE) if len(now) >= 3 else None)
        grown += bool(now)
        both = now & set(pairs[before])
        assert accelerated == len(both)
        if len(both) >= 3:
            gap = (growth(quarter, both) or 0) - (growth(before, both) or 0)
            assert acceleration == pytest.approx(gap, **CLOSE)
        else:
            assert acceleration is None
    assert grown > 30


def test_twelve_months_of_the_deficit_over_four_quarters_of_output(built: duckdb.DuckDBPyConnection) -> None:
    deficit = {m: -1e6 * v for m, v in figures(built, "fred_mtsds133fms_usd_millions").items()}
    gdp_rows = built.execute(
        "select period, value from intermediate.int_indicators__resolved where indicator_id = 'us_gdp_usd_saar'"
    ).fetchall()
    gdp = dict(gdp_rows)
    published = built.execute("""
        select month, deficit_12m_usd, gdp_4q_usd, deficit_12m_pct_gdp, deficit_12m_change_pp, gdp_quarter
        from driver_fiscal where deficit_12m_pct_gdp is not null order by 1
    """).fetchall()
    shares = {}
    for month, total, output, share, _, quarter in published:
        twelve = [deficit[month_before(month, k)] for k in range(12)]
        assert total == pytest.approx(float(np.sum(twelve)), **CLOSE)
        assert output == pytest.approx(float(np.mean([gdp[month_before(quarter, 3 * k)] for k in range(4)])), **CLOSE)
        shares[month] = 100 * np.sum(twelve) / output
        assert share == pytest.approx(shares[month], **CLOSE)
    changes = [(month, change) for month, *_, change, _ in published if change is not None]
    assert len(changes) > 200
    for month, change in changes:
        assert change == pytest.approx(shares[month] - shares[month_before(month, 12)], **CLOSE)


def test_a_fiscal_year_counts_by_whether_industry_grew_or_shrank(built: duckdb.DuckDBPyConnection) -> None:
    """The deficit widens in a fall of industry: plus. In growth a widening is minus, and a narrowing nothing."""
    deficits = {start: -v for start, v in figures(built, "fred_fyfsgda188s_pct_of_gdp").items()}
    first_month = {start.year + 1: start for start in deficits}  # fiscal years before 1977 began in July
    industry = figures(built, "fred_indpro_index")
    published = built.execute("""
        select distinct fiscal_year, deficit_fy_pct_gdp, deficit_fy_change_pp, industrial_production_fy_growth_pct,
            counter_cyclical_expansion_fy_pp
        from driver_fiscal where counter_cyclical_expansion_fy_pp is not null order by 1
    """).fetchall()
    assert len(published) > 30
    for year, deficit, change, growth, counted in published:
        start = first_month[year]
        assert deficit == pytest.approx(deficits[start], **CLOSE)
        assert change == pytest.approx(deficits[start] - deficits[month_before(start, 12)], **CLOSE)
        months = [month_before(start, k - 11) for k in range(24)]
        now, before = (np.mean([industry[m] for m in span]) for span in (months[:12], months[12:]))
        assert growth == pytest.approx(100 * (now / before - 1), rel=1e-9, abs=1e-9)
        expected = change if growth < 0 else min(0.0, -change)
        assert counted == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize(
    ("mart", "subject", "order", "value", "score", "least"),
    [
        ("metal_ratios", "''", "month", "gold_silver_ounces_per_ounce", "gold_silver_zscore_expanding", 24),
        ("metal_ratios", "''", "month", "copper_gold_ounces_per_tonne", "copper_gold_zscore_expanding", 24),
        ("metal_ratios", "''", "month", "platinum_gold_ounces_per_ounce", "platinum_gold_zscore_expanding", 24),
        ("driver_geopolitics", "''", "month", "gpr_index", "gpr_zscore_expanding", 60),
        ("driver_geopolitics", "''", "month", "tpu_index", "tpu_zscore_expanding", 60),
        ("driver_geopolitics", "''", "month", "epu_us_index", "epu_us_zscore_expanding", 60),
        ("divergence_money_ppi", "''", "month", "gap_pp", "gap_zscore", 24),
        ("divergence_money_ppi", "''", "month", "ppi_yoy_pct", "ppi_zscore", 24),
        ("driver_monetary", "''", "month", "fed_funds_pct", "fed_funds_zscore", 24),
        ("driver_monetary", "''", "month", "nominal_10y_yield_pct", "nominal_10y_yield_zscore", 24),
        ("driver_monetary", "''", "month", "real_10y_yield_pct", "real_10y_yield_zscore", 24),
        ("driver_monetary", "''", "month", "broad_dollar_index", "broad_dollar_zscore", 24),
    ],
)
def test_a_score_is_the_distance_from_the_mean_of_all_up_to_its_row(
    built: duckdb.DuckDBPyConnection, mart: str, subject: str, order: str, value: str, score: str, least: int
) -> None:
    rows = built.execute(f"select {subject}, {value}, {score} from {mart} order by 1, {order}").fetchall()
    seen: dict[str, list[float]] = defaultdict(list)
    compared = 0
    for key, figure, published in rows:
        if figure is None:
            assert published is None
            continue
        seen[key].append(figure)
        past = np.asarray(seen[key])
        deviation = past.std(ddof=1) if past.size > 1 else 0.0
        if past.size < least or deviation < 0.005:  # half of the last digit shown: rounding is no deviation
            assert published is None
        else:
            compared += 1
            assert published == pytest.approx((figure - past.mean()) / deviation, rel=1e-9, abs=1e-9)
    assert compared > 100


def test_what_unemployment_explains_is_a_regression_on_the_months_so_far(built_file: Path) -> None:
    """Unemployment was never recorded, so the model is run over invented figures: a random walk for each input."""
    random = np.random.default_rng(1990)
    months = [month_before(date(2020, 1, 1), k) for k in range(240, 0, -1)]
    walk = np.cumsum(random.normal(0, 0.15, len(months)))
    inputs = {
        "us_deficit_usd": dict(zip(months, 40e9 + 5e9 * walk + random.normal(0, 20e9, len(months)), strict=True)),
        "us_unemployment_rate_pct": dict(zip(months, 6 + walk, strict=True)),
        "us_gdp_usd_saar": {m: 15e12 * 1.01**i for i, m in enumerate(months[::3])},
    }
    rows = [(name, "synthetic", period, value) for name, values in inputs.items() for period, value in values.items()]
    given = pl.DataFrame(rows, schema=["indicator_id", "series_id", "period", "value"], orient="row")
    steps = history.compiled(Settings(warehouse_dir=built_file.parents[1]), ["driver_fiscal"])
    resolved, fiscal = (next(s for s in steps if s.name == n) for n in ("int_indicators__resolved", "driver_fiscal"))
    planted = dataclasses.replace(resolved, code="select *, timestamp '2020-02-01' as known_at from given")
    with duckdb.connect() as connection:
        connection.register("given", given)
        with history.models_of(connection, [planted, fiscal], date(2020, 6, 30)):
            found = connection.execute("""
                select month, deficit_12m_pct_gdp, unemployment_12m_mean_pct, deficit_slope_on_unemployment_pp_per_pp,
                    deficit_on_unemployment_r2_ratio, deficit_not_explained_by_unemployment_pct_gdp,
                    fiscal_impulse_12m_pp, labour_market, counter_cyclical_impulse_12m_pp
                from past.main.driver_fiscal order by month
            """).fetchall()
    deficits: dict[date, float] = {}
    rates: dict[date, float] = {}
    compared = {"weak": 0, "tight": 0}
    for month, deficit, rate, slope, r2, left, impulse, market, counted in found:
        if month not in inputs["us_deficit_usd"]:
            continue
        span = [month_before(month, k) for k in range(12)]
        # A mean of eleven months is taken too; the deficit needs all twelve.
        known = [inputs["us_unemployment_rate_pct"][m] for m in span if m in inputs["us_unemployment_rate_pct"]]
        if len(known) >= 11:
            rates[month] = float(np.mean(known))
            assert rate == pytest.approx(rates[month], **CLOSE)
        if deficit is not None:
            deficits[month] = deficit
        both = [m for m in deficits if m in rates]
        if len(both) < 120 or month not in both:
            assert slope is None
            continue
        x, y = np.array([rates[m] for m in both]), np.array([deficits[m] for m in both])
        b, a = np.polyfit(x, y, 1)
        assert slope == pytest.approx(b, rel=1e-8)  # polyfit's own rounding
        assert r2 == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-8)
        assert left == pytest.approx(deficit - a - b * rate, rel=1e-8, abs=1e-8)
        before = month_before(month, 12)
        change = rates[month] - rates[before]
        expected = deficit - deficits[before] - b * change
        assert impulse == pytest.approx(expected, rel=1e-8, abs=1e-8)
        is_weak = change >= 0.5 or rate > np.mean([rates[m] for m in rates if m <= month])
        assert market == ("weak" if is_weak else "tight")
        assert counted == pytest.approx(expected if is_weak else min(0.0, -expected), rel=1e-8, abs=1e-8)
        compared[market] += 1
    assert min(compared.values()) > 10
