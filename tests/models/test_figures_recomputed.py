"""Figures that a reader recomputes first, computed again from the raw tables with numpy and plain loops.

States of divergences, growth over two years, z-scores, percentiles, means of months, sums over a group, margins.
"""

from __future__ import annotations

import io
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from rich.console import Console

from pipelines import warehouse
from pipelines.reporting import status
from pipelines.settings import Settings
from pipelines.transform import history

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


def test_the_zscore_of_a_price_is_that_of_the_real_price(built: duckdb.DuckDBPyConnection) -> None:
    index = newest(built, "fred_cpiaucsl_index") | newest(built, "bls_cpi_sa_index")
    checked = 0
    for metal in ("aluminium", "copper", "gold", "lead", "nickel"):
        rows = built.execute(
            "select period, price_usd_per_tonne, real_price_zscore_expanding from metal_prices "
            "where metal_id = ? and frequency = 'monthly' order by period",
            [metal],
        ).fetchall()
        past: list[float] = []
        for month, price, zscore in rows:
            if month not in index:
                assert zscore is None, "no index, no real price"
                continue
            past.append(float(np.log(price / index[month])))
            if len(past) >= 24 and len(past) % 60 == 0:
                assert zscore == pytest.approx((past[-1] - np.mean(past)) / np.std(past, ddof=1), rel=1e-6)
                checked += 1
    assert checked >= 40


def test_volatility_is_placed_among_the_months_from_1990_in_every_use(built: duckdb.DuckDBPyConnection) -> None:
    rows = built.execute(
        "select metal_id, period, realised_volatility_12m_annualised_pct, realised_volatility_12m_percentile "
        "from metal_prices where frequency = 'monthly' and realised_volatility_12m_annualised_pct is not null "
        "order by metal_id, period"
    ).fetchall()
    place: dict[tuple[str, date], float] = {}
    for metal in {row[0] for row in rows}:
        months = [(month, volatility, found) for m, month, volatility, found in rows if m == metal]
        since = [row for row in months if row[0] >= date(1990, 1, 1)]
        assert all(found is None for month, _, found in months if month < date(1990, 1, 1))
        for n in range(23, len(since), 29):
            so_far = np.array([volatility for _, volatility, _ in since[: n + 1]])
            assert since[n][2] == pytest.approx(100 * np.mean(so_far <= so_far[-1]), rel=CLOSE)
        place |= {(metal, month): found for month, _, found in since if found is not None}
    ranked = built.execute(
        "select metal_id, month, volatility_percentile from opportunities where volatility_percentile is not null"
    ).fetchall()
    assert ranked
    assert all(place[metal, month] == percentile for metal, month, percentile in ranked)
    [(month, percentile)] = built.execute(
        "select period, value from claim_evidence where indicator = 'precious_volatility_percentile'"
    ).fetchall()
    assert percentile == pytest.approx(np.mean([place["gold", month], place["silver", month]]), rel=CLOSE)


def test_a_mean_of_daily_figures_stands_for_a_month_read_to_its_end(built: duckdb.DuckDBPyConnection) -> None:
    [(as_of,)] = built.execute("select max(as_of) from raw.build where succeeded").fetchall()
    for column, series in (
        ("real_10y_yield_pct", ("fred_dfii10_pct", "frb_treasury_10y_real_pct")),
        ("nominal_10y_yield_pct", ("fred_dgs10_pct", "frb_treasury_10y_pct")),
        ("broad_dollar_index", ("fred_dtwexbgs_index", "frb_broad_dollar_index")),
    ):
        days: dict[date, float] = {}
        for name in series:
            days |= newest(built, name)
        by_month = defaultdict(list)
        for day, value in days.items():
            by_month[day.replace(day=1)].append((day, value))
        found = dict(built.execute(f"select month, {column} from driver_monetary").fetchall())
        figures = 0
        for month, read in by_month.items():
            end = months_on(month, 1) - timedelta(days=1)
            last = max(day for day, _ in read)
            if end <= as_of and len(read) >= 15 and (end - last).days <= 5:
                assert found[month] == pytest.approx(np.mean([value for _, value in read]), rel=1e-7), (column, month)
                figures += 1
            else:
                assert found[month] is None, (column, month, len(read), last)
        assert figures > 200
        assert figures == sum(value is not None for value in found.values())


def test_what_the_first_to_file_spent_is_no_figure_of_the_group(built: duckdb.DuckDBPyConnection) -> None:
    expected = len(
        {c for (c,) in built.execute("select company_id from companies where role = 'hyperscaler'").fetchall()}
    )
    spent = defaultdict(list)
    for quarter, capex in built.execute(
        "select d.calendar_quarter, d.capex_usd from driver_ai_capex as d inner join companies as c using (company_id) "
        "where c.role = 'hyperscaler' and d.capex_usd is not null"
    ).fetchall():
        spent[quarter].append(capex)
    few = 0
    for quarter, total, reason in built.execute(
        "select calendar_quarter, capex_usd, gap_reason from driver_ai_capex_aggregate"
    ).fetchall():
        companies = spent[quarter]
        if len(companies) >= 0.6 * expected:
            assert (total, reason) == (pytest.approx(np.sum(companies), rel=CLOSE), None)
        else:
            assert (total, reason[:6]) == (None, f"only {len(companies)}")
            few += 1
    assert few > 0, "the case exists in the figures"
    assert not built.execute(
        "select * from divergence_capex_payoff where role = 'sector' and companies < 0.6 * companies_expected "
        "and capex_to_operating_cash_flow_ratio is not null"
    ).fetchall()


MADE_UP_AS_OF = date(2026, 6, 15)
MADE_UP_FROM = date(2024, 1, 1)


@pytest.fixture(scope="module")
def made_up() -> dict[str, dict[date, float]]:
    """Made-up prices, rates and positions of copper, by series and day."""
    draw = np.random.default_rng(17)
    days = [MADE_UP_FROM + timedelta(days=n) for n in range((MADE_UP_AS_OF - MADE_UP_FROM).days)]
    sessions = [day for day in days if day.weekday() < 5]
    walk = 9000 * np.exp(np.cumsum(draw.normal(0, 0.01, len(sessions))))
    london = [n for n, day in enumerate(sessions) if day >= date(2025, 1, 1)]  # read from 2025 on only
    tuesdays = [day for day in days if day.weekday() == 1]
    # The yuan rate stops in mid-May but for one day in June: carried for ten days, and no longer.
    yuan = [day for day in sessions if day <= date(2026, 5, 15)] + [date(2026, 6, 1)]
    return {
        "yahoo_copper_usd_per_pound": {day: walk[n] * 1.02 / 2204.6226218 for n, day in enumerate(sessions)},
        "lme_copper_cash_usd_per_tonne": {sessions[n]: float(walk[n]) for n in london},
        "shfe_copper_settlement_cny_per_tonne": {day: walk[n] * 8.2 for n, day in enumerate(sessions)},
        "frb_cny_per_usd": {day: 7.1 + 0.001 * n for n, day in enumerate(yuan)},
        "cftc_copper_open_interest_contracts": {day: 1000.0 for day in tuesdays},
        "cftc_copper_managed_money_long_contracts": {day: float(draw.integers(200, 500)) for day in tuesdays},
        "cftc_copper_managed_money_short_contracts": {day: float(draw.integers(200, 500)) for day in tuesdays},
    }


@pytest.fixture(scope="module")
def models(
    built_file: Path, made_up: dict[str, dict[date, float]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of those figures as of MADE_UP_AS_OF."""
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("made_up"))
    settings.build_path.parent.mkdir(parents=True)
    shutil.copyfile(built_file, settings.build_path)
    rows = pl.DataFrame(
        [(series, day, value) for series, figures in made_up.items() for day, value in figures.items()],
        schema={"series": pl.String, "day": pl.Date, "figure": pl.Float64},
        orient="row",
    )
    with warehouse.writer(settings) as connection:
        connection.register("made_up", rows.to_arrow())
        # Made-up figures alone: positions ship, and the upstream that ships has a rate for each day.
        connection.execute(
            "delete from raw.observation where series_id = 'fred_dexchus_cny_per_usd' or series_id like 'cftc_copper%'"
        )
        connection.execute(
            "insert into raw.observation by name select o.* replace (m.series as series_id, m.day as period, "
            "m.figure as value, m.day + interval 1 day as known_at) "
            "from (from raw.observation limit 1) as o cross join made_up as m"
        )
    targets = ["import_margin", "divergence_trade_tightness", "driver_positioning"]
    with warehouse.scratch() as connection:
        connection.execute(f"attach '{settings.build_path}' as build (read_only)")
        with history.models_of(connection, history.compiled(settings, targets), MADE_UP_AS_OF):
            yield connection


def test_the_last_yuan_rate_stands_in_for_ten_days_and_is_marked(
    models: duckdb.DuckDBPyConnection, made_up: dict[str, dict[date, float]]
) -> None:
    rates, london = made_up["frb_cny_per_usd"], made_up["lme_copper_cash_usd_per_tonne"]
    found = models.execute(
        "select trading_day, cny_per_usd_day, cny_per_usd_is_carried, import_margin_usd_per_tonne "
        "from past.main.import_margin where metal_id = 'copper'"
    ).fetchall()
    shanghai = made_up["shfe_copper_settlement_cny_per_tonne"]
    assert len(found) == len(shanghai)
    carried = 0
    for day, rate_day, is_carried, margin in found:
        last = max(known for known in rates if known <= day)
        if (day - last).days > 10:
            assert (rate_day, margin) == (None, None)
            continue
        assert (rate_day, is_carried) == (last, last < day)
        carried += is_carried
        if day in london:
            assert margin == pytest.approx(shanghai[day] / rates[last] / 1.13 - london[day], rel=1e-6)
    assert carried > 10


def test_a_premium_has_one_basis_and_no_month_of_another(
    models: duckdb.DuckDBPyConnection, made_up: dict[str, dict[date, float]]
) -> None:
    found = models.execute(
        "select month, world_price_source, premium_pct from past.main.divergence_trade_tightness "
        "where metal_id = 'copper' and us_price_usd_per_tonne is not null order by month"
    ).fetchall()
    assert [month for month, *_ in found] == [months_on(MADE_UP_FROM, n) for n in range(29)]
    for month, source, premium in found:
        if month < date(2025, 1, 1):
            assert (source, premium) == (None, None), "the published mean is another basis"
            continue
        means = [
            np.mean([value for day, value in made_up[series].items() if day.replace(day=1) == month])
            for series in ("yahoo_copper_usd_per_pound", "lme_copper_cash_usd_per_tonne")
        ]
        assert source == "LME"
        assert premium == pytest.approx(100 * (means[0] * 2204.6226218 / means[1] - 1), rel=1e-5)


def test_positions_are_placed_in_their_own_history(
    models: duckdb.DuckDBPyConnection, made_up: dict[str, dict[date, float]]
) -> None:
    long, short = (made_up[f"cftc_copper_managed_money_{side}_contracts"] for side in ("long", "short"))
    net = np.array([long[day] - short[day] for day in sorted(long)])
    found = models.execute(
        "select net_managed_money_percentile_expanding from past.main.driver_positioning "
        "where metal_id = 'copper' and net_managed_money_contracts is not null order by report_date"
    ).fetchall()
    expected = [100 * np.mean(net[: n + 1] <= net[n]) if n >= 51 else None for n in range(len(net))]
    assert [place for (place,) in found] == [e if e is None else pytest.approx(e) for e in expected]


def test_the_terminal_and_data_freshness_tell_one_age_and_a_fiscal_year_its_name(
    built_file: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(built_file), read_only=True) as connection:
        [(as_of,)] = connection.execute("select max(as_of) from raw.build where succeeded").fetchall()
        ages = dict(
            connection.execute(
                "select source_id, min(age_days) from data_freshness where last_period is not null group by source_id"
            ).fetchall()
        )
        [(fiscal_year,)] = connection.execute(
            "select max(fiscal_year) from driver_fiscal where deficit_fy_pct_gdp is not null"
        ).fetchall()
    settings = Settings(warehouse_dir=tmp_path, now=datetime.combine(as_of, time(22), tzinfo=UTC))
    shutil.copyfile(built_file, settings.published_path)
    told = status.as_dict(settings, {})
    shown = {s["source_id"]: s for s in told["sources"] if s["source_id"] in ages}
    assert {source: s["age_days"] for source, s in shown.items()} == ages
    assert all((as_of - s["last_period_end"]).days == s["age_days"] for s in shown.values())
    labels = {d["figure"]: d["label"] for d in told["drivers"]}
    assert labels["deficit_fy_pct_gdp"] == f"FY{fiscal_year}"
    assert labels["capex_usd"][4] == "Q"
    out = io.StringIO()
    status.show(Console(file=out, width=120), settings, {}, verbose=True)
    [line] = [line for line in out.getvalue().splitlines() if "deficit_fy_pct_gdp" in line]
    assert line.split()[2] == f"FY{fiscal_year}"


def test_the_increase_of_implied_copper_is_that_of_the_same_companies_over_a_years_growth_of_use(
    built: duckdb.DuckDBPyConnection,
) -> None:
    rows = built.execute(
        "select calendar_quarter, scenario, capex_ttm_members, implied_tonnes_per_year, world_use_year, "
        "implied_increase_pct_of_use_growth from driver_ai_metal_demand where metal_id = 'copper'"
    ).fetchall()
    of = {(quarter, scenario): (members, tonnes) for quarter, scenario, members, tonnes, *_ in rows}
    growth = 27.4e6 - 27.4e6 / 1.029  # the International Copper Study Group's use of 2024, and its growth
    checked = 0
    for quarter, scenario, members, tonnes, year, share in rows:
        before, tonnes_before = of.get((months_on(quarter, -12), scenario), (None, None))
        if members is None or members != before or year is None:
            assert share is None
            continue
        assert year == 2024
        assert share == pytest.approx(100 * (tonnes - tonnes_before) / growth, rel=CLOSE)
        checked += 1
    assert checked >= 3
