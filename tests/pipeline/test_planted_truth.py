"""Effects planted in a synthetic upstream are found by the real models; noise is reported as insignificant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from pipelines.transform import history
from tests.pipeline import synthetic_upstream as planted

TARGETS = [
    "lead_lag_money_ppi",
    "divergence_capacity_clearance",
    "divergence_capacity_clearance_sector",
    "driver_trade_policy",
    "risk_regimes",
    "metal_attribution",
    "metal_attribution_betas",
]
MILLION = 1e6


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> planted.SyntheticSettings:
    return planted.build(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture(scope="module")
def steps(settings: planted.SyntheticSettings) -> list[history.Step]:
    return history.compiled(settings, TARGETS)


@pytest.fixture(scope="module")
def models(settings: planted.SyntheticSettings, steps: list[history.Step]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{settings.build_path}' as build (read_only)")
        with history.models_of(connection, steps, planted.DAY):
            yield connection


def test_money_leads_prices_by_the_planted_five_months(models: duckdb.DuckDBPyConnection) -> None:
    rows = models.execute(
        "select lag_months, correlation, correlation_lower_95, difference_lower_95, is_max "
        "from past.main.lead_lag_money_ppi where sample = 'full'"
    ).fetchall()
    [(lag, correlation, lower, gain_lower, _)] = [row for row in rows if row[4]]
    assert lag == planted.LEAD_MONTHS
    assert correlation > 0.9
    assert lower > 0
    assert gain_lower > 0, "and not by chance better than no lead"
    others = [row[1] for row in rows if row[0] != planted.LEAD_MONTHS]
    assert max(others) < correlation


def test_one_producer_is_in_paradox_from_the_quarter_in_which_twelve_months_turn(
    models: duckdb.DuckDBPyConnection,
) -> None:
    """Twelve months to June 2025: 2 x 60 + 2 x 150 spent over 400 of depreciation, 2 x 80 - 2 x 50 earned, the least
    in its own history; to September a loss. To March it did not invest above depreciation yet.
    """
    rows = models.execute(
        "select company_id, calendar_quarter, capex_12m_usd, depreciation_12m_usd, income_12m_usd, is_paradox "
        "from past.main.divergence_capacity_clearance where is_paradox is not null order by 1, 2"
    ).fetchall()
    found = {(company, quarter): tuple(rest) for company, quarter, *rest in rows}
    in_paradox = {key for key, row in found.items() if row[3]}
    assert in_paradox == {
        ("SYNTHETIC.PARADOX", date(2025, 4, 1)),
        ("SYNTHETIC.PARADOX", date(2025, 7, 1)),
        ("SYNTHETIC.PARADOX", date(2025, 10, 1)),
        ("SYNTHETIC.PARADOX", date(2026, 1, 1)),
    }
    assert found["SYNTHETIC.PARADOX", date(2025, 1, 1)] == (330 * MILLION, 400 * MILLION, 190 * MILLION, False)
    assert found["SYNTHETIC.PARADOX", date(2025, 4, 1)] == (420 * MILLION, 400 * MILLION, 60 * MILLION, True)
    assert found["SYNTHETIC.PARADOX", date(2025, 7, 1)] == (510 * MILLION, 400 * MILLION, -70 * MILLION, True)
    sector = models.execute(
        "select calendar_quarter, producers_known, producers_in_paradox, paradox_share_ratio, capex_12m_usd, "
        "margin_pct from past.main.divergence_capacity_clearance_sector "
        "where sector = 'aluminium' and producers_known > 0 order by calendar_quarter desc limit 5"
    ).fetchall()
    # In the first quarter of 2026: 600 and 240 spent, -200 and 320 earned on 8,000.
    assert sector[0] == (date(2026, 1, 1), 2, 1, 0.5, 840 * MILLION, 1.5)
    assert sector[4] == (date(2025, 1, 1), 2, 0, 0.0, 570 * MILLION, pytest.approx(100 * 510 / 8000))


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (planted.DUTY_PUBLISHED - timedelta(days=1), 0),
        (planted.DUTY_PUBLISHED, 0),
        (planted.DUTY_EFFECTIVE - timedelta(days=1), 0),
        (planted.DUTY_EFFECTIVE, planted.DUTY_PCT),
    ],
)
def test_the_duty_is_on_from_its_legal_date_and_not_before(
    settings: planted.SyntheticSettings, day: date, rate: float
) -> None:
    needed = history.compiled(settings, ["driver_trade_policy"])
    with duckdb.connect() as connection:
        connection.execute(f"attach '{settings.build_path}' as build (read_only)")
        with history.models_of(connection, needed, day):
            rows = connection.execute(
                "select month, refined_rate_pct, measures_in_force_ids from past.main.driver_trade_policy "
                "where metal_id = 'tin' order by month desc limit 1"
            ).fetchall()
    [(month, refined, ids)] = rows
    assert month == day.replace(day=1)
    assert refined == rate
    assert (planted.DUTY in (ids or "")) == bool(rate)


def test_months_before_the_duty_do_not_know_it_and_months_after_keep_it(models: duckdb.DuckDBPyConnection) -> None:
    rows = models.execute(
        "select month, refined_rate_pct from past.main.driver_trade_policy where metal_id = 'tin' "
        "and month between date '2023-01-01' and date '2023-06-01' order by month"
    ).fetchall()
    assert [rate for _, rate in rows] == [0, 0, 0, 17, 17, 17]


def test_what_moves_metals_is_significant_and_what_does_not_is_not(models: duckdb.DuckDBPyConnection) -> None:
    rows = models.execute(
        "select metal_id, regressor_id, beta, beta_t_statistic from past.main.metal_attribution_betas "
        "where month = date '2026-06-01' and beta is not null"
    ).fetchall()
    real = {metal: (beta, t) for metal, regressor, beta, t in rows if regressor == "us_real_yield"}
    risk = {metal: (beta, t) for metal, regressor, beta, t in rows if regressor == "geopolitical_risk"}
    assert len(real) == len(risk) == len(planted.METALS)
    assert all(t < -5 for _, t in real.values())
    for beta, t in real.values():
        assert abs(beta - planted.YIELD_EFFECT_PCT_PER_PP) < 4 * abs(beta / t)
    # Noise passes the 5 % bar in one metal of twenty; in most of them it would be an effect.
    assert sum(abs(t) > 1.96 for _, t in risk.values()) <= 1
    assert abs(sum(t for _, t in risk.values())) / len(risk) < 1


def test_a_regime_of_noise_is_no_regime(models: duckdb.DuckDBPyConnection) -> None:
    rows = models.execute(
        "select gap_t_statistic, months_inside, months_outside from past.main.risk_regimes "
        "where regime = 'geopolitics' and metal_id = 'average_of_four' and sample = 'full' and timing = 'same_month'"
    ).fetchall()
    [(t, inside, outside)] = rows
    assert inside >= 24
    assert outside > inside
    assert abs(t) < 1.645
