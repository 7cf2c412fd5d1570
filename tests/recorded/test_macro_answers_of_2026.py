"""Answers recorded later than the first folder, one line each: rows and at least three figures read in the files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import fiscal_data, module, worldbank_indicators, worldbank_pink_sheet
from tests.recordings import Recordings

pytestmark = pytest.mark.recorded

# file, source, request key, rows per series, figures
FILES: list[tuple[str, str, str, dict[str, int], list[tuple[str, str, float]]]] = [
    (
        "fred/2026-07-29/M2SL.csv",
        "fred",
        "fredgraph/M2SL",
        {"fred_m2sl_usd_billions": 810},
        [
            ("fred_m2sl_usd_billions", "1959-01-01", 286.6),
            ("fred_m2sl_usd_billions", "1962-03-01", 343.1),
            ("fred_m2sl_usd_billions", "2026-06-01", 23155.2),
        ],
    ),
    (
        "fred/2026-08-05/GDP.csv",
        "fred",
        "fredgraph/GDP",
        {"fred_gdp_usd_billions_saar": 318},
        [
            ("fred_gdp_usd_billions_saar", "1947-01-01", 243.164),
            ("fred_gdp_usd_billions_saar", "1956-07-01", 451.191),
            ("fred_gdp_usd_billions_saar", "2026-04-01", 32475.21),
        ],
    ),
    (
        "fred/2026-10-03/UNRATE.csv",
        "fred",
        "fredgraph/UNRATE",
        {"fred_unrate_pct": 944},
        [
            ("fred_unrate_pct", "1948-01-01", 3.4),
            ("fred_unrate_pct", "2020-04-01", 14.8),
            ("fred_unrate_pct", "2026-09-01", 4.2),
        ],
    ),
    (
        "fred/2026-08-05/GFDEBTN.csv",
        "fred",
        "fredgraph/GFDEBTN",
        {"fred_gfdebtn_usd_millions": 241},
        [
            ("fred_gfdebtn_usd_millions", "1966-01-01", 320999),
            ("fred_gfdebtn_usd_millions", "1975-07-01", 553647),
            ("fred_gfdebtn_usd_millions", "2026-01-01", 39065421),
        ],
    ),
    (
        "fred/2026-09-01/DTWEXBGS.csv",
        "fred",
        "fredgraph/DTWEXBGS",
        {"fred_dtwexbgs_index": 41},
        [
            ("fred_dtwexbgs_index", "2026-07-01", 121.1455),
            ("fred_dtwexbgs_index", "2026-08-26", 118.4461),
            ("fred_dtwexbgs_index", "2026-08-28", 118.7479),
        ],
    ),
    (
        "fred/2026-10-02/FEDFUNDS.csv",
        "fred",
        "fredgraph/FEDFUNDS",
        {"fred_fedfunds_pct": 867},
        [
            ("fred_fedfunds_pct", "1954-07-01", 0.8),
            ("fred_fedfunds_pct", "1957-09-01", 3.47),
            ("fred_fedfunds_pct", "2026-09-01", 3.75),
        ],
    ),
    (
        "fred/2026-10-03/CPIAUCSL.csv",
        "fred",
        "fredgraph/CPIAUCSL",
        {"fred_cpiaucsl_index": 31},  # 32 months but October 2025
        [
            ("fred_cpiaucsl_index", "2024-01-01", 309.698),
            ("fred_cpiaucsl_index", "2025-11-01", 325.063),
            ("fred_cpiaucsl_index", "2026-08-01", 334.131),
        ],
    ),
    (
        "fred/2026-10-03/DFII10.csv",
        "fred",
        "fredgraph/DFII10",
        {"fred_dfii10_pct": 86},
        [
            ("fred_dfii10_pct", "2026-06-01", 2.07),
            ("fred_dfii10_pct", "2026-07-27", 2.44),
            ("fred_dfii10_pct", "2026-10-01", 2.88),
        ],
    ),
    (
        "fred/2026-10-03/DGS10.csv",
        "fred",
        "fredgraph/DGS10",
        {"fred_dgs10_pct": 86},
        [
            ("fred_dgs10_pct", "2026-06-01", 4.47),
            ("fred_dgs10_pct", "2026-07-27", 4.65),
            ("fred_dgs10_pct", "2026-10-01", 5.24),
        ],
    ),
    (
        "fred/2026-10-03/GDP.csv",
        "fred",
        "fredgraph/GDP",
        {"fred_gdp_usd_billions_saar": 34},
        [
            ("fred_gdp_usd_billions_saar", "2018-01-01", 20328.553),
            ("fred_gdp_usd_billions_saar", "2026-01-01", 31906.274),
            ("fred_gdp_usd_billions_saar", "2026-04-01", 32563.03),
        ],
    ),
    (
        "fred/2026-10-03/GFDEBTN.csv",
        "fred",
        "fredgraph/GFDEBTN",
        {"fred_gfdebtn_usd_millions": 226},
        [
            ("fred_gfdebtn_usd_millions", "1970-01-01", 372007),
            ("fred_gfdebtn_usd_millions", "1979-07-01", 826519),
            ("fred_gfdebtn_usd_millions", "2026-04-01", 39462398),
        ],
    ),
    (
        "fred/2026-10-03/INDPRO.csv",
        "fred",
        "fredgraph/INDPRO",
        {"fred_indpro_index": 56},
        [
            ("fred_indpro_index", "2022-01-01", 100.1856),
            ("fred_indpro_index", "2025-03-01", 101.0404),
            ("fred_indpro_index", "2026-08-01", 103.0682),
        ],
    ),
    (
        "fred/2026-10-03/MTSDS133FMS.csv",
        "fred",
        "fredgraph/MTSDS133FMS",
        {"fred_mtsds133fms_usd_millions": 44},
        [
            ("fred_mtsds133fms_usd_millions", "2023-01-01", -38783.77183922),
            ("fred_mtsds133fms_usd_millions", "2025-09-01", 197949.63036216),
            ("fred_mtsds133fms_usd_millions", "2026-08-01", -166796.95227738),
        ],
    ),
    (
        "fred/2026-10-03/T10YIE.csv",
        "fred",
        "fredgraph/T10YIE",
        {"fred_t10yie_pct": 87},
        [
            ("fred_t10yie_pct", "2026-06-01", 2.4),
            ("fred_t10yie_pct", "2026-07-27", 2.21),
            ("fred_t10yie_pct", "2026-10-02", 2.36),
        ],
    ),
    (
        "fiscal_data/debt_to_penny_2026-09-25.json",
        "fiscal_data",
        "debt_to_penny",
        {"tsy_debt_total_usd": 9},
        [
            ("tsy_debt_total_usd", "2026-09-15", 40114445691166.84),
            ("tsy_debt_total_usd", "2026-09-21", 40112118151111.92),
            ("tsy_debt_total_usd", "2026-09-25", 40097178119750.91),
        ],
    ),
    (
        # Its rows stand in no order of months.
        "fiscal_data/mts_table_1_2024-10_2026-08.completed.json",
        "fiscal_data",
        "mts_table_1",
        {"tsy_deficit_usd": 23, "tsy_receipts_usd": 20, "tsy_outlays_usd": 20},
        [
            ("tsy_receipts_usd", "2025-04-01", 850169317772.81),
            ("tsy_outlays_usd", "2025-04-01", 591769368657.85),
            ("tsy_deficit_usd", "2025-04-01", -258399949114.96),
            # As September's own report states it; the report of August 2026 restates it to -197,937,721,277.68.
            ("tsy_deficit_usd", "2025-09-01", -197949630362.16),
            ("tsy_deficit_usd", "2026-07-01", 432285727964.60),
        ],
    ),
    (
        "omb/hist01z1_fy2027.xlsx",
        "omb",
        "hist01z1_fy2027",
        # 125 fiscal years to 2025; two years have dots for their balance.
        {"omb_receipts_usd_millions": 125, "omb_outlays_usd_millions": 125, "omb_balance_usd_millions": 123},
        [
            ("omb_balance_usd_millions", "1900-07-01", 63),
            ("omb_balance_usd_millions", "1975-07-01", -73732),
            ("omb_outlays_usd_millions", "2019-10-01", 6516817),
            ("omb_balance_usd_millions", "2019-10-01", -3095653),
            ("omb_balance_usd_millions", "2024-10-01", -1774684),
        ],
    ),
    (
        "worldbank_indicators/NE.TRD.GNFS.ZS_USA.json",
        "worldbank_indicators",
        "NE.TRD.GNFS.ZS/USA",
        {"wb_trade_usa_pct_of_gdp": 65},
        [
            ("wb_trade_usa_pct_of_gdp", "1960-01-01", 9.19743289940048),
            ("wb_trade_usa_pct_of_gdp", "2020-01-01", 23.0797778694073),
            ("wb_trade_usa_pct_of_gdp", "2024-01-01", 24.8879916970734),
        ],
    ),
    (
        "worldbank_indicators/NE.TRD.GNFS.ZS_WLD.json",
        "worldbank_indicators",
        "NE.TRD.GNFS.ZS/WLD",
        {"wb_trade_wld_pct_of_gdp": 57},
        [
            ("wb_trade_wld_pct_of_gdp", "1968-01-01", 20.0140540035313),
            ("wb_trade_wld_pct_of_gdp", "2009-01-01", 52.1911115942307),
            ("wb_trade_wld_pct_of_gdp", "2024-01-01", 56.559581214033),
        ],
    ),
    (
        "worldbank_indicators/NY.GDP.MKTP.CD_USA.json",
        "worldbank_indicators",
        "NY.GDP.MKTP.CD/USA",
        {"wb_gdp_usa_usd": 65},
        [
            ("wb_gdp_usa_usd", "1960-01-01", 542390475099.326),
            ("wb_gdp_usa_usd", "2020-01-01", 21354105000000.0),
            ("wb_gdp_usa_usd", "2024-01-01", 29184890000000.0),
        ],
    ),
    (
        "worldbank_indicators/NY.GDP.MKTP.CD_WLD.json",
        "worldbank_indicators",
        "NY.GDP.MKTP.CD/WLD",
        {"wb_gdp_wld_usd": 65},
        [
            ("wb_gdp_wld_usd", "1960-01-01", 1366518832081.63),
            ("wb_gdp_wld_usd", "2009-01-01", 60909219885221.0),
            ("wb_gdp_wld_usd", "2024-01-01", 111252997846886.0),
        ],
    ),
    (
        # Most metals are rounded to integers in this edition.
        "worldbank/2026-07-07/CMO-Historical-Data-Monthly.xlsx",
        "worldbank_pink_sheet",
        worldbank_pink_sheet.WORKBOOK_KEY,
        {"wb_copper_usd_per_tonne": 798, "wb_coal_australian_usd_per_tonne": 678},
        [
            ("wb_copper_usd_per_tonne", "2026-06-01", 13552),
            ("wb_aluminium_usd_per_tonne", "2026-06-01", 3439),
            ("wb_silver_usd_per_troy_ounce", "2026-06-01", 66.7),
            ("wb_iron_ore_usd_per_dmtu", "2020-03-01", 89),
        ],
    ),
]
NO_SPREAD = "no row has the field m_money_positions_spread"
# contract: metal, weeks, open interest and managed money long and short by day
POSITIONS = [
    (
        "085692_2006_2026-01",
        "copper",
        1022,
        {"2020-03-17": (215842, 35505, 78190), "2026-01-06": (267027, 75248, 7006)},
    ),
    (
        "084691_2006_2026-01",
        "silver",
        1022,
        {"2020-03-17": (166682, 37409, 15471), "2026-01-06": (153240, 26978, 11156)},
    ),
    (
        "076651_2006_2026-01",
        "platinum",
        1022,
        {"2020-03-17": (66275, 23660, 8350), "2026-01-06": (79050, 19857, 12740)},
    ),
    (
        "075651_2006_2026-01",
        "palladium",
        1022,
        {"2020-03-17": (9556, 3302, 1896), "2026-01-06": (19349, 6689, 6609)},
    ),
    (
        "088691_2006_2026-01",
        "gold",
        1022,
        {"2006-06-13": (288981, 99739, 29859), "2020-03-17": (573925, 164979, 10900)},
    ),
    (
        "088691_2026-01_2026-09",
        "gold",
        34,
        {"2026-05-05": (367932, 123353, 29099), "2026-09-01": (415196, 149721, 12950)},
    ),
    (
        "088691_2026-09-22",
        "gold",
        2,
        {"2026-09-22": (412800, 135699, 8310), "2026-09-29": (406456, 131711, 11393)},
    ),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def found(recordings: list[Path]) -> Recordings:
    return Recordings(recordings)


def test_an_answer_reads_as_recorded(found: Recordings, catalog: Catalog, subtests: pytest.Subtests) -> None:
    for file, source, key, rows, figures in FILES:
        with subtests.test(file):
            parsed = module(source).parse(found.path(file).read_bytes(), key, catalog)
            counts = dict(parsed.observations.group_by("series_id").len().iter_rows())
            assert rows.items() <= counts.items()
            assert parsed.rejects.is_empty()
            read = {
                (series, str(period)): value
                for series, period, value in parsed.observations.select("series_id", "period", "value").iter_rows()
            }
            assert [(series, period, read.get((series, period))) for series, period, _ in figures] == figures
            for (series, _), value in read.items():
                low, high = catalog.series[series].plausible
                assert low <= value <= high, series


def test_positions_read_as_recorded(found: Recordings, catalog: Catalog, subtests: pytest.Subtests) -> None:
    measures = ("open_interest", "managed_money_long", "managed_money_short")
    for file, metal, weeks, figures in POSITIONS:
        body = found.path(f"cftc/disaggregated_{file}.json").read_bytes()
        parsed = module("cftc").parse(body, f"disaggregated/{file[:6]}", catalog)
        with subtests.test(file):
            for n, measure in enumerate(measures):
                series = parsed.observations.filter(series_id=f"cftc_{metal}_{measure}_contracts")
                assert series.height == weeks
                values = dict(series.select("period", "value").iter_rows())
                assert [values[date.fromisoformat(day)] for day in figures] == [row[n] for row in figures.values()]
            # Only the last file was asked for spreads; elsewhere that is one reject, for its series alone.
            assert parsed.rejects["reason"].to_list() == ([] if file == "088691_2026-09-22" else [NO_SPREAD])


def test_the_deficit_at_fred_keeps_first_prints_within_the_tolerance_of_the_indicator(
    found: Recordings, catalog: Catalog
) -> None:
    """Of 23 months 13 were restated within their fiscal year; September 2025 only after it, which is not read."""
    files = {file: found.path(file).read_bytes() for file, *_ in FILES}
    treasury = fiscal_data.parse(
        files["fiscal_data/mts_table_1_2024-10_2026-08.completed.json"], "mts_table_1", catalog
    )
    fred = module("fred").parse(files["fred/2026-10-03/MTSDS133FMS.csv"], "fredgraph/MTSDS133FMS", catalog)
    deficit = catalog.indicators["us_deficit_usd"]
    first = {period: -1e6 * value for period, value in fred.observations.select("period", "value").iter_rows()}
    newest = dict(treasury.observations.filter(series_id="tsy_deficit_usd").select("period", "value").iter_rows())
    apart = {period: abs(value - first[period]) for period, value in newest.items()}
    assert sum(gap > 0.01 for gap in apart.values()) == 13
    largest = max(apart, key=lambda period: apart[period])
    assert (largest, apart[largest]) == (date(2025, 5, 1), pytest.approx(352019807.53, abs=0.01))
    assert apart[date(2025, 9, 1)] < 0.01
    for period, gap in apart.items():
        allowed = max(deficit.tolerance_absolute, abs(newest[period]) * deficit.tolerance_pct / 100)
        assert gap <= allowed, period


def test_table_1_without_its_codes_is_refused_and_not_guessed(found: Recordings, catalog: Catalog) -> None:
    body = found.path("fiscal_data/mts_table_1_deficit_2025-09_2026-08.excerpt.json").read_bytes()
    with pytest.raises(BadPayload, match="the rows have no data_type_cd, line_code_nbr, sequence_number_cd"):
        fiscal_data.parse(body, "mts_table_1", catalog)


@pytest.mark.parametrize("file", ["page_nath", "page_luis"])
def test_the_page_of_september_2026_leads_to_the_workbook_of_2026(found: Recordings, file: str) -> None:
    (page,) = worldbank_pink_sheet.plan(Catalog([], [], [], []), date(2026, 9, 15))
    assert page.then is not None
    (workbook,) = page.then(found.path(f"worldbank/2026-09/{file}.excerpt.html").read_bytes())
    document = "74e8be41ceb20fa0da750cda2f6b9e4e-0050012026"  # not f3138644…, which holds the forecasts of that year
    assert workbook.url == f"https://thedocs.worldbank.org/en/doc/{document}/related/CMO-Historical-Data-Monthly.xlsx"


def test_population_has_the_shape_and_no_catalogued_series(found: Recordings, catalog: Catalog) -> None:
    body = found.path("worldbank_indicators/SP.POP.TOTL_USA_2022_2023.json").read_bytes()
    with pytest.raises(BadPayload, match=r"no catalogued series reads 'SP\.POP\.TOTL/USA'"):
        worldbank_indicators.parse(body, "SP.POP.TOTL/USA", catalog)
    gdp = body.replace(b"SP.POP.TOTL", b"NY.GDP.MKTP.CD")  # the native answer, with another indicator's name
    series = catalog.series["wb_gdp_usa_usd"]
    parsed = worldbank_indicators.parse(gdp, "NY.GDP.MKTP.CD/USA", Catalog([], [series], [], []))
    assert dict(parsed.observations.select("period", "value").iter_rows()) == {
        date(2022, 1, 1): 333996304.0,
        date(2023, 1, 1): 336755052.0,
    }
