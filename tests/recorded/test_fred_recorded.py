"""FRED files of both eras: figures read by hand in the recorded ones, counts, ranges, and the substituted vintage."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import Parsed, fred

# file: series, rows with a figure, missing cells, first and last observation
FILES = {
    "2023-01-02/DFII10": ("fred_dfii10_pct", 3753, 160, (date(2008, 1, 2), 1.59), (date(2022, 12, 30), 1.58)),
    "2024-12-15/INDPRO": ("fred_indpro_index", 1270, 0, (date(1919, 1, 1), 4.8654), (date(2024, 10, 1), 102.2805)),
    "2024-12-15/M2SL": ("fred_m2sl_usd_billions", 790, 0, (date(1959, 1, 1), 286.6), (date(2024, 10, 1), 21311.2)),
    "2024-12-15/MTSDS133FMS": (
        "fred_mtsds133fms_usd_millions",
        529,
        0,
        (date(1980, 10, 1), -16921.0),
        (date(2024, 10, 1), -257450.34319191),
    ),
    "2025-06-27/GDP": (
        "fred_gdp_usd_billions_saar",
        311,
        0,
        (date(1947, 1, 1), 243.164),
        (date(2024, 7, 1), 29349.924),
    ),
    "2025-06-27/GFDEBTN": (
        "fred_gfdebtn_usd_millions",
        234,
        0,
        (date(1966, 1, 1), 320999.0),
        (date(2024, 4, 1), 34831634.0),
    ),
    "2026-01-04/CPIAUCSL": ("fred_cpiaucsl_index", 670, 0, (date(1970, 1, 1), 37.9), (date(2025, 11, 1), 325.031)),
    "2026-01-07/GFDEGDQ188S": (
        "fred_gfdegdq188s_pct_of_gdp",
        222,
        0,
        (date(1970, 1, 1), 35.38879),
        (date(2025, 4, 1), 118.78171),
    ),
    "2026-04-12/CPIAUCSL": ("fred_cpiaucsl_index", 674, 0, (date(1970, 1, 1), 37.9), (date(2026, 3, 1), 330.293)),
    "2026-06-02/DFII10": ("fred_dfii10_pct", 601, 27, (date(2024, 1, 2), 1.74), (date(2026, 5, 28), 2.06)),
    "2026-06-28/GFDEGDQ188S": (
        "fred_gfdegdq188s_pct_of_gdp",
        225,
        0,
        (date(1970, 1, 1), 35.38879),
        (date(2026, 1, 1), 122.59387),
    ),
    "2026-07-30/DTWEXBGS": (
        "fred_dtwexbgs_index",
        5154,
        0,
        (date(2006, 1, 2), 101.4155),
        (date(2026, 7, 24), 120.7105),
    ),
    "2026-08-06/DFII10": ("fred_dfii10_pct", 5901, 0, (date(2003, 1, 2), 2.43), (date(2026, 8, 4), 2.4)),
    "2026-08-06/DGS10": ("fred_dgs10_pct", 16132, 0, (date(1962, 1, 2), 4.06), (date(2026, 8, 4), 4.63)),
    "2026-08-06/FYFSGDA188S": (
        "fred_fyfsgda188s_pct_of_gdp",
        97,
        0,
        (date(1928, 7, 1), 0.70202),
        (date(2024, 10, 1), -5.76906),
    ),
    "2026-08-06/INDPRO": ("fred_indpro_index", 1290, 0, (date(1919, 1, 1), 4.8739), (date(2026, 6, 1), 102.6395)),
    "2026-08-06/OPHNFB": ("fred_ophnfb_index", 317, 0, (date(1947, 1, 1), 22.256), (date(2026, 1, 1), 119.437)),
    "2026-08-06/PPIACO": ("fred_ppiaco_index", 1362, 0, (date(1913, 1, 1), 12.1), (date(2026, 6, 1), 286.827)),
    "2026-08-06/T10YIE": ("fred_t10yie_pct", 5902, 0, (date(2003, 1, 2), 1.64), (date(2026, 8, 5), 2.22)),
    "2026-08-09/FEDFUNDS": ("fred_fedfunds_pct", 679, 0, (date(1970, 1, 1), 8.98), (date(2026, 7, 1), 3.63)),
    "2026-08-16/CPIAUCSL": ("fred_cpiaucsl_index", 678, 0, (date(1970, 1, 1), 37.9), (date(2026, 7, 1), 332.813)),
}
NEVER_RECORDED = {"fred_dexchus_cny_per_usd"}
READ_ELSEWHERE = {"fred_unrate_pct"}  # test_macro_answers_of_2026.py
NOT_BUNDLED = {f for f in FILES if f.split("/")[1] in ("FYFSGDA188S", "GFDEGDQ188S", "T10YIE")}
NOT_CATALOGUED = {"FYOINT", "PALUMUSDM", "PCOPPUSDM"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


def _parse(folder: Path, catalog: Catalog, file: str) -> Parsed:
    return fred.parse((folder / "fred" / f"{file}.csv").read_bytes(), f"fredgraph/{file.split('/')[1]}", catalog)


@pytest.mark.parametrize(
    "file", [pytest.param(f, marks=[pytest.mark.recorded] if f in NOT_BUNDLED else []) for f in FILES]
)
def test_a_file_reads_as_counted_by_hand(request: pytest.FixtureRequest, catalog: Catalog, file: str) -> None:
    series_id, rows, missing, first, last = FILES[file]
    parsed = _parse(request.getfixturevalue("upstream" if file in NOT_BUNDLED else "payloads"), catalog, file)
    observations = parsed.observations.sort("period")

    assert set(observations.get_column("series_id")) == {series_id}
    assert observations.height == rows
    assert dict(parsed.missing) == ({series_id: missing} if missing else {})
    assert parsed.rejects.is_empty()
    assert observations.select("period", "value").row(0) == first
    assert observations.select("period", "value").row(-1) == last
    low, high = catalog.series[series_id].plausible
    assert observations.filter(~pl.col("value").is_between(low, high)).is_empty()


@pytest.mark.recorded
def test_every_recorded_file_and_every_catalogued_series_is_read_here(upstream: Path, catalog: Catalog) -> None:
    recorded = {f"{path.parent.name}/{path.stem}" for path in (upstream / "fred").glob("*/*.csv")}
    assert {file for file in recorded if file.split("/")[1] not in NOT_CATALOGUED} == set(FILES)
    catalogued = {series.id for series in catalog.series_of("fred")}
    assert {series_id for series_id, *_ in FILES.values()} == catalogued - NEVER_RECORDED - READ_ELSEWHERE


def test_the_largest_deficits_are_negative_and_their_opposite_would_be_implausible(
    payloads: Path, catalog: Catalog
) -> None:
    deficit = catalog.series["fred_mtsds133fms_usd_millions"]
    june_2020 = _parse(payloads, catalog, "2024-12-15/MTSDS133FMS").observations.filter(period=date(2020, 6, 1))
    value = june_2020.get_column("value").item()

    assert value == -864074.06849171
    assert -value > deficit.plausible[1]
    assert value * 1e6 < deficit.plausible[0]  # dollars under a name in millions


def test_october_2025_is_absent_from_consumer_prices(payloads: Path, catalog: Catalog) -> None:
    periods = _parse(payloads, catalog, "2026-08-16/CPIAUCSL").observations.get_column("period")
    assert date(2025, 9, 1) in periods
    assert date(2025, 10, 1) not in periods
    assert date(2025, 11, 1) in periods


@pytest.mark.recorded
def test_industrial_production_drops_trailing_zeros_but_keeps_its_precision(upstream: Path, catalog: Catalog) -> None:
    body = (upstream / "fred" / "2024-12-15" / "INDPRO.csv").read_text()
    printed = {len(line.partition(".")[2]) for line in body.splitlines()[1:]}

    assert printed == {1, 2, 3, 4}
    assert set(_parse(upstream, catalog, "2024-12-15/INDPRO").observations.get_column("decimals")) == {4}


@pytest.mark.recorded
@pytest.mark.parametrize(
    "excerpt",
    [
        "alfred_fredgraph_CPIAUCSL_20150630.excerpt.csv",
        "alfred_silent_substitution_CPIAUCSL_asked20300630_got20260921.excerpt.csv",
    ],
)
def test_a_vintage_that_was_not_asked_for_is_refused(upstream: Path, catalog: Catalog, excerpt: str) -> None:
    with pytest.raises(BadPayload, match="is a vintage, and none was requested"):
        fred.parse((upstream / "excerpts" / excerpt).read_bytes(), "fredgraph/CPIAUCSL", catalog)
