"""Two vintages of China's reports: figures read out of the recorded ones by hand, counts, ranges, revisions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.settings import Settings
from pipelines.sources import eastmoney
from tests.recordings import Recordings
from tests.replay_routes import eastmoney as replayed

VINTAGES = ("2026-06-20", "2026-08-21")
RECORDED = ("RPT_ECONOMY_CURRENCY_SUPPLY", "RPT_ECONOMY_PPI", "RPT_ECONOMY_CUSTOMS")  # of five reports
ROWS = {  # months per series in each vintage
    "cn_m2_cny_hundred_millions": (221, 223),
    "cn_m2_yoy_pct": (221, 223),
    "cn_m1_cny_hundred_millions": (221, 223),
    "cn_m1_yoy_pct": (221, 223),
    "cn_ppi_index_same_month_last_year_100": (245, 247),
    "cn_ppi_yoy_pct": (245, 247),
    "cn_exports_yoy_pct": (221, 223),
    "cn_exports_ytd_yoy_pct": (221, 223),
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def vintages(payloads: Path, catalog: Catalog) -> dict[str, pl.DataFrame]:
    frames = {}
    for vintage in VINTAGES:
        parsed = [
            eastmoney.parse(
                (payloads / "eastmoney" / vintage / f"{request.key}.json").read_bytes(), request.key, catalog
            )
            for request in eastmoney.plan(catalog, date(2026, 8, 21))
            if request.key in RECORDED
        ]
        assert all(p.rejects.is_empty() and not p.missing for p in parsed)
        frames[vintage] = pl.concat(p.observations for p in parsed)
    return frames


def _series(frame: pl.DataFrame, series_id: str) -> dict[date, float]:
    return dict(frame.filter(series_id=series_id).select("period", "value").sort("period").iter_rows())


def test_every_series_has_every_month(vintages: dict[str, pl.DataFrame]) -> None:
    counts = [dict(vintages[vintage].group_by("series_id").len().iter_rows()) for vintage in VINTAGES]
    assert {series_id: (counts[0][series_id], counts[1][series_id]) for series_id in counts[0]} == ROWS


@pytest.mark.parametrize("vintage", VINTAGES)
def test_every_figure_lies_in_its_plausible_range(
    vintages: dict[str, pl.DataFrame], catalog: Catalog, vintage: str
) -> None:
    for series_id in ROWS:
        low, high = catalog.series[series_id].plausible
        values = vintages[vintage].filter(series_id=series_id).get_column("value")
        assert values.is_between(low, high).all(), series_id


@pytest.mark.parametrize(
    ("series_id", "period", "value"),
    [
        ("cn_ppi_yoy_pct", date(2026, 2, 1), -0.9),
        ("cn_ppi_yoy_pct", date(2026, 3, 1), 0.5),
        ("cn_ppi_yoy_pct", date(2009, 7, 1), -8.2),
        ("cn_ppi_index_same_month_last_year_100", date(2026, 3, 1), 100.5),
        ("cn_m1_yoy_pct", date(2026, 5, 1), 5.5),
        ("cn_m2_yoy_pct", date(2026, 5, 1), 8.6),
        ("cn_m2_cny_hundred_millions", date(2026, 5, 1), 3536688.9),
        ("cn_m1_cny_hundred_millions", date(2023, 12, 1), 680542.5),
        ("cn_m1_cny_hundred_millions", date(2024, 1, 1), 1120120.0),
        ("cn_exports_ytd_yoy_pct", date(2026, 5, 1), 15.5),
    ],
)
def test_figures_read_as_in_both_reports(
    vintages: dict[str, pl.DataFrame], series_id: str, period: date, value: float
) -> None:
    assert [_series(vintages[vintage], series_id)[period] for vintage in VINTAGES] == [value, value]


def test_producer_prices_turn_positive_in_march_2026(vintages: dict[str, pl.DataFrame]) -> None:
    yoy = _series(vintages["2026-08-21"], "cn_ppi_yoy_pct")
    assert min(period for period, value in yoy.items() if period >= date(2023, 1, 1) and value > 0) == date(2026, 3, 1)


def test_the_producer_price_index_and_its_growth_say_the_same_to_a_digit(vintages: dict[str, pl.DataFrame]) -> None:
    index = _series(vintages["2026-08-21"], "cn_ppi_index_same_month_last_year_100")
    yoy = _series(vintages["2026-08-21"], "cn_ppi_yoy_pct")
    apart = {period: round(value - 100 - yoy[period], 1) for period, value in index.items()}

    assert index.keys() == yoy.keys()
    # Rounded apart by the office in six months of 2006 to 2009, never by more than the last digit.
    assert {value for value in apart.values() if value} <= {0.1, -0.1}
    assert sum(value != 0 for value in apart.values()) == 6


def test_between_the_vintages_only_the_exports_of_may_2026_changed(vintages: dict[str, pl.DataFrame]) -> None:
    before, after = (vintages[vintage] for vintage in VINTAGES)
    both = after.join(before, on=["series_id", "period"], suffix="_before")

    assert both.height == before.height
    assert both.filter(pl.col("value") != pl.col("value_before")).select(
        "series_id", "period", "value_before", "value"
    ).rows() == [("cn_exports_yoy_pct", date(2026, 5, 1), 19.4, 19.2)]


def test_reports_that_were_not_recorded_are_replayed_in_the_documented_shape(catalog: Catalog) -> None:
    ((_, _, answer),) = replayed.routes()
    read: dict[str, float] = {}
    for request in eastmoney.plan(catalog, date(2026, 8, 21)):
        found = answer({name: [value] for name, value in request.params}, b"", None)
        assert (found is None) == (request.key in RECORDED)
        if found:
            parsed = eastmoney.parse(found[2], request.key, catalog)
            assert parsed.rejects.is_empty()
            read |= dict(parsed.observations.select("series_id", "value").iter_rows())
    assert read == {
        "cn_pmi_manufacturing_index": 49.5,
        "cn_pmi_non_manufacturing_index": 51.1,
        "cn_industrial_output_yoy_pct": 5.6,
        "cn_industrial_output_ytd_yoy_pct": 6.2,
    }


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("file", "read"),
    [
        (
            "2026-07-18/RPT_ECONOMY_CURRENCY_SUPPLY.first_page",
            {
                ("cn_m2_cny_hundred_millions", date(2026, 6, 1)): 3567108.43,
                ("cn_m1_cny_hundred_millions", date(2026, 3, 1)): 1193202.99,
                ("cn_m1_yoy_pct", date(2026, 5, 1)): 5.5,
            },
        ),
        (
            "2026-07-18/RPT_ECONOMY_CUSTOMS.first_page",
            {
                ("cn_exports_yoy_pct", date(2026, 6, 1)): 27.0,
                ("cn_exports_yoy_pct", date(2026, 5, 1)): 19.3,
                ("cn_exports_ytd_yoy_pct", date(2026, 3, 1)): 14.7,
            },
        ),
        (
            "2026-07-18/RPT_ECONOMY_INDUS_GROW.first_page",
            {
                ("cn_industrial_output_yoy_pct", date(2026, 6, 1)): 5.3,
                ("cn_industrial_output_yoy_pct", date(2026, 4, 1)): 4.1,
                ("cn_industrial_output_ytd_yoy_pct", date(2026, 3, 1)): 6.1,
            },
        ),
        (
            "2026-07-18/RPT_ECONOMY_PMI.first_page",
            {
                ("cn_pmi_manufacturing_index", date(2026, 6, 1)): 50.3,
                ("cn_pmi_manufacturing_index", date(2026, 5, 1)): 50.0,
                ("cn_pmi_non_manufacturing_index", date(2026, 4, 1)): 49.4,
            },
        ),
        (
            "2026-07-18/RPT_ECONOMY_PPI.first_page",
            {
                ("cn_ppi_yoy_pct", date(2026, 6, 1)): 4.1,
                ("cn_ppi_yoy_pct", date(2026, 3, 1)): 0.5,
                ("cn_ppi_index_same_month_last_year_100", date(2026, 5, 1)): 103.9,
            },
        ),
        (
            "2026-08-21/RPT_ECONOMY_PMI",
            {
                ("cn_pmi_manufacturing_index", date(2026, 7, 1)): 49.2,
                ("cn_pmi_non_manufacturing_index", date(2026, 7, 1)): 49.0,
                ("cn_pmi_manufacturing_index", date(2026, 3, 1)): 50.4,
            },
        ),
    ],
)
def test_other_recorded_answers_read_as_in_the_file(
    recordings: list[Path], catalog: Catalog, file: str, read: dict[tuple[str, date], float]
) -> None:
    """First pages of four rows of July 2026, and the report on purchasing managers of August."""
    body = Recordings(recordings).path(f"eastmoney/{file}.json").read_bytes()
    parsed = eastmoney.parse(body, file.partition("/")[2].partition(".")[0], catalog)
    found = {
        (name, period): value
        for name, period, value in parsed.observations.select("series_id", "period", "value").iter_rows()
    }
    assert {key: found[key] for key in read} == read
    assert parsed.rejects.is_empty()
    if "CURRENCY" in file:
        levels = parsed.observations.filter(pl.col("series_id").str.ends_with("cny_hundred_millions"))
        assert set(levels["decimals"]) == {2}


def test_one_digit_is_printed_throughout(vintages: dict[str, pl.DataFrame]) -> None:
    assert set(vintages["2026-08-21"].get_column("decimals")) == {1}
