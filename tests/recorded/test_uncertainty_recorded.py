"""Workbooks of geopolitical risk (two vintages), trade and economic policy uncertainty; figures as in the recorded."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.settings import Settings
from pipelines.sources import Parsed, epu, gpr, tpu
from tests.recordings import Recordings
from tests.replay_routes import epu as replayed_epu
from tests.replay_routes import gpr as replayed_gpr

GPR_VINTAGES = ("2025-04-29", "2026-03-22")
US_FILE = "US_Policy_Uncertainty_Data.xlsx"
CHINA_FILE = "SCMP_China_Policy_Uncertainty_Data.xlsx"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def risk(payloads: Path, catalog: Catalog) -> dict[str, Parsed]:
    files = {v: payloads / "uncertainty" / v / "data_gpr_export.xls" for v in GPR_VINTAGES}
    return {v: gpr.parse(file.read_bytes(), "data_gpr_export", catalog) for v, file in files.items()}


@pytest.fixture(scope="module")
def trade(payloads: Path, catalog: Catalog) -> Parsed:
    return tpu.parse((payloads / "uncertainty/2025-04-29/tpu_web_latest.xlsx").read_bytes(), tpu.KEY, catalog)


@pytest.fixture(scope="module")
def policy(payloads: Path, catalog: Catalog) -> Parsed:
    return epu.parse((payloads / "uncertainty/2025-03-06" / US_FILE).read_bytes(), US_FILE, catalog)


def _series(parsed: Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def _extent(parsed: Parsed) -> dict[str, tuple[int, date, date]]:
    rows = parsed.observations.group_by("series_id").agg(
        pl.len(), pl.col("period").min().alias("first"), pl.col("period").max().alias("last")
    )
    return {series_id: (count, first, last) for series_id, count, first, last in rows.iter_rows()}


def test_each_vintage_of_geopolitical_risk_is_read_whole(risk: dict[str, Parsed]) -> None:
    recent = ("gpr_recent_index", "gpr_threats_index", "gpr_acts_index", "gpr_china_pct_of_articles")
    for vintage, months, last in (
        ("2025-04-29", 479, date(2024, 11, 1)),
        ("2026-03-22", 493, date(2026, 1, 1)),
    ):
        parsed = risk[vintage]
        assert _extent(parsed) == {
            "gpr_historical_index": (months + 1020, date(1900, 1, 1), last),
            **dict.fromkeys(recent, (months, date(1985, 1, 1), last)),
        }
        assert parsed.missing == dict.fromkeys(recent, 1020)  # the 85 years before
        assert parsed.rejects.is_empty()


@pytest.mark.parametrize(
    ("series_id", "period", "values"),
    [
        ("gpr_recent_index", date(1985, 1, 1), (102.173377991, 102.173377991)),
        ("gpr_recent_index", date(2001, 10, 1), (512.529724121, 512.529724121)),
        ("gpr_recent_index", date(2024, 11, 1), (124.943473816, 128.901641846)),
        ("gpr_historical_index", date(1900, 1, 1), (87.927848816, 87.927848816)),
        ("gpr_historical_index", date(2022, 3, 1), (167.344406128, 167.344406128)),
        ("gpr_historical_index", date(2024, 11, 1), (109.144561768, 94.96157074)),
        ("gpr_threats_index", date(2022, 3, 1), (403.713623047, 403.713623047)),
        ("gpr_acts_index", date(2001, 10, 1), (854.074951172, 854.074951172)),
        ("gpr_china_pct_of_articles", date(2024, 11, 1), (0.901662469, 1.007493258)),
    ],
)
def test_figures_read_as_in_both_vintages(
    risk: dict[str, Parsed], series_id: str, period: date, values: tuple[float, float]
) -> None:
    read = tuple(_series(risk[vintage], series_id)[period] for vintage in GPR_VINTAGES)
    assert read == pytest.approx(values, abs=5e-10)


def test_history_is_revised_between_the_vintages(risk: dict[str, Parsed]) -> None:
    """The last months of the earlier vintage, up to 22 of them; nothing before."""
    for series_id, months, first in (
        ("gpr_recent_index", 13, date(2023, 9, 1)),
        ("gpr_historical_index", 15, date(2023, 2, 1)),
    ):
        before, after = (_series(risk[vintage], series_id) for vintage in GPR_VINTAGES)
        changed = sorted(period for period, value in before.items() if abs(after[period] - value) > 1e-6)
        assert (len(changed), changed[0], changed[-1]) == (months, first, date(2024, 11, 1))
        assert before.keys() < after.keys()


def test_the_two_bases_are_not_one_series(risk: dict[str, Parsed]) -> None:
    recent, historical = (_series(risk["2026-03-22"], s) for s in ("gpr_recent_index", "gpr_historical_index"))
    assert recent[date(2022, 3, 1)] == pytest.approx(318.954925537, abs=5e-10)
    assert historical[date(2022, 3, 1)] == pytest.approx(167.344406128, abs=5e-10)


def test_trade_policy_uncertainty_of_march_and_of_a_day_in_april_2025(trade: Parsed) -> None:
    assert _extent(trade) == {
        "tpu_monthly_index": (783, date(1960, 1, 1), date(2025, 3, 1)),
        "tpu_daily_index": (3771, date(2015, 1, 1), date(2025, 4, 28)),
    }
    month, day = _series(trade, "tpu_monthly_index"), _series(trade, "tpu_daily_index")
    assert month[date(1960, 1, 1)] == pytest.approx(18.12970086, abs=5e-9)
    assert month[date(2025, 3, 1)] == pytest.approx(603.077776237, abs=5e-10)
    assert day[date(2015, 1, 1)] == 0
    assert day[date(2025, 4, 28)] == pytest.approx(1257.86163522, abs=5e-9)
    assert trade.rejects.is_empty()
    assert trade.missing == {}


def test_policy_uncertainty_ends_with_a_note_that_is_no_row(policy: Parsed) -> None:
    assert _extent(policy) == dict.fromkeys(
        ("epu_us_news_index", "epu_us_three_component_index"), (482, date(1985, 1, 1), date(2025, 2, 1))
    )
    news, three = _series(policy, "epu_us_news_index"), _series(policy, "epu_us_three_component_index")
    assert news[date(1985, 1, 1)] == pytest.approx(103.74880301, abs=5e-9)
    assert news[date(2020, 5, 1)] == pytest.approx(503.963336706, abs=5e-10)
    assert three[date(2011, 8, 1)] == pytest.approx(245.126713776, abs=5e-10)
    assert three[date(2025, 2, 1)] == pytest.approx(233.65456782, abs=5e-9)
    assert policy.rejects.is_empty()
    assert policy.missing == {}


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("source", "file", "key", "extent", "figures"),
    [
        (
            epu,
            f"2025-11-15/{US_FILE}",
            US_FILE,
            {
                # The first sheet begins in 1900, and models read it from 1985; the other sheet holds the components.
                "epu_us_news_index": (1510, date(1900, 1, 1), date(2025, 10, 1)),
                "epu_us_three_component_index": (490, date(1985, 1, 1), date(2025, 10, 1)),
            },
            [
                ("epu_us_news_index", date(1900, 1, 1), 139.906188965),
                ("epu_us_news_index", date(2025, 10, 1), 282.421417236),
                ("epu_us_three_component_index", date(1985, 1, 1), 125.224739075),
                ("epu_us_three_component_index", date(2025, 9, 1), 225.050888062),
            ],
        ),
        (
            epu,
            "2025-11-12/All_Daily_Policy_Data.csv",
            "All_Daily_Policy_Data.csv",
            {"epu_us_daily_index": (14925, date(1985, 1, 1), date(2025, 11, 11))},
            [
                ("epu_us_daily_index", date(1985, 1, 1), 103.83),
                ("epu_us_daily_index", date(1985, 1, 2), 296.43),
                ("epu_us_daily_index", date(2025, 11, 10), 465.03),
            ],
        ),
        (
            epu,
            f"2020-07-15/{CHINA_FILE}",
            CHINA_FILE,
            {"epu_china_scmp_index": (307, date(1995, 1, 1), date(2020, 7, 1))},
            [
                ("epu_china_scmp_index", date(1995, 1, 1), 192.911911011),
                ("epu_china_scmp_index", date(2020, 6, 1), 843.61517334),
                ("epu_china_scmp_index", date(2020, 7, 1), 825.700561523),
            ],
        ),
        (
            gpr,
            "2026-08-18/data_gpr_export.xls",
            "data_gpr_export",
            {
                "gpr_historical_index": (1519, date(1900, 1, 1), date(2026, 7, 1)),
                **dict.fromkeys(
                    ("gpr_recent_index", "gpr_threats_index", "gpr_acts_index", "gpr_china_pct_of_articles"),
                    (499, date(1985, 1, 1), date(2026, 7, 1)),
                ),
            },
            [
                ("gpr_recent_index", date(2026, 7, 1), 152.668228149),
                ("gpr_threats_index", date(2026, 6, 1), 214.929031372),
                ("gpr_historical_index", date(2026, 5, 1), 161.205596924),
            ],
        ),
        (
            gpr,
            "2026-05-27/data_gpr_daily_recent.xls",
            "data_gpr_daily_recent",
            dict.fromkeys(("gpr_daily_index", "gpr_daily_ma30_index"), (15121, date(1985, 1, 1), date(2026, 5, 26))),
            [
                ("gpr_daily_index", date(1985, 1, 1), 230.039428711),
                ("gpr_daily_index", date(2026, 5, 26), 165.234970093),
                ("gpr_daily_ma30_index", date(2026, 5, 24), 212.144638062),
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_each_later_file_reads_as_recorded(
    recordings: list[Path],
    catalog: Catalog,
    source: ModuleType,
    file: str,
    key: str,
    extent: dict[str, tuple[int, date, date]],
    figures: list[tuple[str, date, float]],
) -> None:
    parsed = source.parse(Recordings(recordings).path(f"uncertainty/{file}").read_bytes(), key, catalog)
    assert _extent(parsed) == extent
    assert parsed.rejects.is_empty()
    for series_id, period, value in figures:
        assert _series(parsed, series_id)[period] == pytest.approx(value, abs=5e-10)


def test_every_figure_lies_in_its_plausible_range(
    risk: dict[str, Parsed], trade: Parsed, policy: Parsed, catalog: Catalog
) -> None:
    for parsed in (*risk.values(), trade, policy):
        for series_id, value in parsed.observations.select("series_id", "value").iter_rows():
            low, high = catalog.series[series_id].plausible
            assert low <= value <= high, series_id


def test_files_that_were_not_recorded_are_replayed_without_figures(catalog: Catalog) -> None:
    """Documented shape, not recorded: every cell of theirs is missing, none is made up."""
    (daily,) = (answer({}, b"", date(2026, 3, 1))[2] for _, _, answer in replayed_gpr.routes())
    parsed = gpr.parse(daily, "data_gpr_daily_recent", catalog)
    assert parsed.missing == {"gpr_daily_index": 31, "gpr_daily_ma30_index": 31}
    us, china = (answer({}, b"", None)[2] for _, _, answer in replayed_epu.routes())
    assert epu.parse(us, "All_Daily_Policy_Data.csv", catalog).missing == {"epu_us_daily_index": 31}
    assert epu.parse(china, CHINA_FILE, catalog).missing == {"epu_china_scmp_index": 12}
