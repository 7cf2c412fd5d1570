"""Three Pink Sheets: figures read out of the recorded workbooks by hand, counts, and what a revision is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.settings import Settings
from pipelines.sources import Parsed
from pipelines.sources import worldbank_pink_sheet as pink_sheet

VINTAGES = {"2024-10-11": 777, "2026-03-05": 794, "2026-06-03": 797}  # months since January 1960
MONTHS_WITHOUT_COAL = 120  # Australian coal starts in January 1970


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def vintages(payloads: Path, catalog: Catalog) -> dict[str, Parsed]:
    return {name: pink_sheet.parse(_body(payloads, name), pink_sheet.WORKBOOK_KEY, catalog) for name in VINTAGES}


def _body(folder: Path, vintage: str) -> bytes:
    return (folder / "worldbank" / vintage / "CMO-Historical-Data-Monthly.xlsx").read_bytes()


def _value(parsed: Parsed, series_id: str, period: date) -> float:
    return float(parsed.observations.filter(series_id=series_id, period=period).get_column("value").item())


@pytest.mark.parametrize("vintage", VINTAGES)
def test_every_series_has_every_month(vintages: dict[str, Parsed], catalog: Catalog, vintage: str) -> None:
    parsed, months = vintages[vintage], VINTAGES[vintage]
    counts = dict(parsed.observations.group_by("series_id").len().iter_rows())

    assert counts.pop("wb_coal_australian_usd_per_tonne") == months - MONTHS_WITHOUT_COAL
    assert counts == {
        series.id: months
        for series in catalog.series_of("worldbank_pink_sheet")
        if series.id != "wb_coal_australian_usd_per_tonne"
    }
    assert len(counts) == 11
    assert parsed.missing == {"wb_coal_australian_usd_per_tonne": MONTHS_WITHOUT_COAL}
    assert parsed.rejects.is_empty()


def test_may_2026_reads_as_in_the_workbook(vintages: dict[str, Parsed]) -> None:
    may = vintages["2026-06-03"].observations.filter(period=date(2026, 5, 1))
    assert dict(may.select("series_id", "value").iter_rows()) == {
        "wb_aluminium_usd_per_tonne": 3666.1,
        "wb_copper_usd_per_tonne": 13543.19,
        "wb_lead_usd_per_tonne": 1991.48,
        "wb_nickel_usd_per_tonne": 18805.77,
        "wb_tin_usd_per_tonne": 53562.79,
        "wb_zinc_usd_per_tonne": 3482.3,
        "wb_gold_usd_per_troy_ounce": 4587.21,
        "wb_silver_usd_per_troy_ounce": 78.01,
        "wb_platinum_usd_per_troy_ounce": 1998.39,
        "wb_iron_ore_usd_per_dmtu": 108.64,
        "wb_coal_australian_usd_per_tonne": 136.86,
        "wb_crude_oil_brent_usd_per_barrel": 107.54,
    }
    assert set(may.get_column("decimals")) == {2}


def test_the_first_month_keeps_all_stored_digits_until_the_publisher_rounds_it(vintages: dict[str, Parsed]) -> None:
    brent, silver, january_1960 = "wb_crude_oil_brent_usd_per_barrel", "wb_silver_usd_per_troy_ounce", date(1960, 1, 1)
    assert [_value(vintages[v], brent, january_1960) for v in VINTAGES] == [1.63000011444, 1.63000011444, 1.63]
    assert [_value(vintages[v], silver, january_1960) for v in VINTAGES] == [0.9137, 0.9137, 0.91]


@pytest.mark.parametrize("vintage", VINTAGES)
def test_every_figure_lies_in_its_plausible_range(vintages: dict[str, Parsed], catalog: Catalog, vintage: str) -> None:
    ranges = pl.DataFrame(
        [(s.id, *s.plausible) for s in catalog.series_of("worldbank_pink_sheet")],
        schema=["series_id", "low", "high"],
        orient="row",
    )
    judged = vintages[vintage].observations.join(ranges, on="series_id")
    assert judged.height == vintages[vintage].observations.height
    assert judged.filter(~pl.col("value").is_between("low", "high")).is_empty()


def test_no_cell_differs_beyond_the_precision_that_the_newer_workbook_prints(vintages: dict[str, Parsed]) -> None:
    older, newer = (vintages[v].observations for v in ("2026-03-05", "2026-06-03"))
    both = newer.join(older, on=["series_id", "period"], suffix="_before")
    distance = (pl.col("value") - pl.col("value_before")).abs()

    assert both.height == 9408
    assert both.filter(distance > 0).height == 2000  # cells that only lost decimals
    assert both.filter(distance > 0.5 * 10.0 ** -pl.col("decimals").cast(pl.Float64) + 1e-9).is_empty()

    oldest = vintages["2024-10-11"].observations
    both = older.join(oldest, on=["series_id", "period"], suffix="_before")
    assert both.height == 9204
    assert both.filter(distance > 0).is_empty()


@pytest.mark.recorded
def test_a_figure_is_named_by_its_cell(upstream: Path, catalog: Catalog) -> None:
    parsed = pink_sheet.parse(_body(upstream, "2026-06-03"), pink_sheet.WORKBOOK_KEY, catalog)
    copper = parsed.observations.filter(series_id="wb_copper_usd_per_tonne", period=date(2026, 5, 1))
    assert copper.get_column("row").item() == "Monthly Prices!BM803"


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("vintage", "day"),
    [("2024-10-11", date(2024, 10, 2)), ("2026-03-05", date(2026, 3, 3)), ("2026-06-03", date(2026, 6, 2))],
)
def test_the_day_of_update_is_read(upstream: Path, vintage: str, day: date) -> None:
    assert pink_sheet.updated_on(_body(upstream, vintage)) == day
