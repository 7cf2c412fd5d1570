"""The answers recorded in 2026 of the US agencies, the exchanges and others, with figures read in the files by eye."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import catalog as catalogs
from pipelines import ingest, warehouse
from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import (
    Parsed,
    bls,
    census_trade,
    module,
    sec_edgar,
    sec_financial_statements,
    usgs_mcs,
    usitc_hts,
    worldbank_indicators,
    yahoo,
)
from tests.recordings import Recordings
from tests.replay_routes.yahoo import chart

pytestmark = pytest.mark.recorded

TRACKED = catalogs.load(Settings().catalog_dir)
Recorded = Callable[[str], bytes]
EMBER = "ember/monthly_full_release"
OWID = "owid_energy/owid-energy-data"
SILVER = "cme_silver_stock"
LITHIUM = "gfex_lithium_carbonate_settlement_cny_per_tonne"

# source, file, key: (series, period) and figure
FIGURES: dict[tuple[str, str, str], dict[tuple[str, str], float]] = {
    ("cme_stocks", "cme/2026-01-23/Silver_stocks.xls", "Silver_stocks"): {
        (f"{SILVER}_registered_troy_ounces", "2026-01-22"): 114262775.06,
        (f"{SILVER}_eligible_troy_ounces", "2026-01-22"): 302162088.182,
        (f"{SILVER}_total_troy_ounces", "2026-01-22"): 416424863.242,
    },
    ("ember", f"{EMBER}.sample_2026-09-18.csv", "release_generation_monthly_global"): {
        ("ember_cn_generation_coal_twh", "2016-01-01"): 361.155,
        ("ember_cn_generation_coal_twh", "2026-08-01"): 545.645,
        ("ember_cn_generation_total_twh", "2026-07-01"): 1025.706,
    },
    ("ember", f"{EMBER}.vnm_2019.csv", "release_generation_monthly_global"): {
        ("ember_vn_generation_coal_twh", "2019-01-01"): 9.63,
        ("ember_vn_generation_total_twh", "2019-02-01"): 18.89,
        ("ember_vn_generation_coal_twh", "2019-03-01"): 8.43,
    },
    ("owid_energy", f"{OWID}.excerpt.csv", "owid-energy-data"): {
        ("owid_cn_generation_coal_twh", "2025-01-01"): 5751.56,
        ("owid_in_generation_total_twh", "2024-01-01"): 2036.52,
        ("owid_id_generation_coal_twh", "2024-01-01"): 228.43,
    },
    ("owid_energy", f"{OWID}.header_and_rows.csv", "owid-energy-data"): {
        ("owid_cn_generation_coal_twh", "2022-01-01"): 5414.72,
        ("owid_cn_generation_total_twh", "2023-01-01"): 9456.45,
        ("owid_cn_generation_total_twh", "2025-01-01"): 10583.36,
    },
    ("westmetall", "westmetall/LME_Al_cash_2022.excerpt.html", "LME_Al_cash/2022"): {
        ("lme_aluminium_cash_usd_per_tonne", "2022-12-30"): 2360.5,
        ("lme_aluminium_3_month_usd_per_tonne", "2022-11-01"): 2254.0,
        ("lme_aluminium_stock_tonnes", "2022-01-04"): 934375.0,
    },
    ("shfe", "shfe/weeklystock_20260918.excerpt.html", "weeklystock/20260918"): {
        ("shfe_copper_stock_tonnes", "2026-09-18"): 56073.0,
        ("shfe_aluminium_stock_tonnes", "2026-09-18"): 320954.0,
        ("shfe_tin_stock_tonnes", "2026-09-18"): 7059.0,
    },
    ("gfex", "gfex/dayquotes_lc_20260812.excerpt.json", "dayquotes/20260812"): {(LITHIUM, "2026-08-12"): 148840.0},
    ("gfex", "gfex/dayquotes_ps_20260424.excerpt.json", "dayquotes/20260424"): {
        ("gfex_polysilicon_settlement_cny_per_tonne", "2026-04-24"): 36200.0
    },
    ("lbma", "lbma/silver.excerpt.json", "silver"): {
        ("lbma_silver_usd_per_troy_ounce", "1968-11-18"): 2.103,
        ("lbma_silver_usd_per_troy_ounce", "1968-11-25"): 2.105,
        ("lbma_silver_usd_per_troy_ounce", "2026-08-10"): 63.935,
    },
    ("imf_pcps", "imf_pcps/PLITH.sdmx_csv_1.excerpt.csv", "PCPS/PLITH"): {
        ("imf_lithium_usd_per_tonne", "2026-07-01"): 156809.13,
        ("imf_lithium_usd_per_tonne", "2026-08-01"): 148620.0,
    },
    ("worldbank_indicators", "worldbank_indicators/NY.GDP.MKTP.CD_USA.json", "NY.GDP.MKTP.CD/USA"): {
        ("wb_gdp_usa_usd", "2024-01-01"): 29184890000000.0,
        ("wb_gdp_usa_usd", "2023-01-01"): 27720709000000.0,
        ("wb_gdp_usa_usd", "2022-01-01"): 26006893000000.0,
    },
    ("worldbank_indicators", "worldbank_indicators/NY.GDP.MKTP.CD_WLD.json", "NY.GDP.MKTP.CD/WLD"): {
        ("wb_gdp_wld_usd", "2024-01-01"): 111252997846886.0
    },
    ("worldbank_indicators", "worldbank_indicators/NE.TRD.GNFS.ZS_USA.json", "NE.TRD.GNFS.ZS/USA"): {
        ("wb_trade_usa_pct_of_gdp", "2024-01-01"): 24.8879916970734
    },
    ("worldbank_indicators", "worldbank_indicators/NE.TRD.GNFS.ZS_WLD.json", "NE.TRD.GNFS.ZS/WLD"): {
        ("wb_trade_wld_pct_of_gdp", "2024-01-01"): 56.559581214033
    },
}
MISSING = {"lbma/silver.excerpt.json": {"lbma_silver_usd_per_troy_ounce": 3}}  # null dollar legs, pounds beside them
# An excerpt lacks other series of its file, and each says so.
ABSENT = ("no row for", "no row of", "no delivery month of this product")


@pytest.fixture(scope="module")
def recorded(recordings: list[Path]) -> Recorded:
    found = Recordings(recordings)
    return lambda file: found.path(file).read_bytes()


def figures(parsed: Parsed) -> dict[tuple[str, str], float]:
    rows = parsed.observations.select("series_id", "period", "value").iter_rows()
    return {(series_id, str(period)): value for series_id, period, value in rows}


def test_figures_read_by_eye(recorded: Recorded, subtests: pytest.Subtests) -> None:
    for (source_id, file, key), expected in FIGURES.items():
        parsed = module(source_id).parse(recorded(file), key, TRACKED)
        found = figures(parsed)
        with subtests.test(file):
            assert {at: found.get(at) for at in expected} == pytest.approx(expected, rel=1e-14)
            assert parsed.missing == MISSING.get(file, {})
            assert [why for why in parsed.rejects["reason"] if not why.startswith(ABSENT)] == []
            for (series_id, _), value in found.items():
                low, high = TRACKED.series[series_id].plausible
                assert low <= value <= high, series_id


def test_the_answer_of_guangzhou_for_another_day_is_refused(recorded: Recorded) -> None:
    with pytest.raises(BadPayload, match="the answer for trade_date"):
        module("gfex").parse(recorded("gfex/dayquotes_lc_20260812.excerpt.json"), "dayquotes/20260813", TRACKED)


# BLS


def _bls_key(decade: int) -> str:
    return next(r.key for r in bls.plan(TRACKED, date(2026, 9, 28)) if r.key.startswith(f"timeseries/{decade}"))


def test_consumer_prices_and_unemployment_of_the_bls_with_the_hole_of_october_2025(recorded: Recorded) -> None:
    parsed = bls.parse(recorded("bls/v1_2020_2026.excerpt.json"), _bls_key(2020), TRACKED)
    found = figures(parsed)
    assert found["bls_cpi_sa_index", "2026-08-01"] == 334.131
    assert found["bls_cpi_nsa_index", "2025-11-01"] == 324.122
    assert found["bls_unemployment_rate_pct", "2020-04-01"] == 14.8
    series = ("bls_cpi_sa_index", "bls_cpi_nsa_index", "bls_unemployment_rate_pct")
    assert parsed.missing == dict.fromkeys(series, 1), "sent as '-', with footnote X or 9"
    assert not any((name, "2025-10-01") in found for name in series)
    assert all(why.endswith("was requested and is not in the response") for why in parsed.rejects["reason"])


def test_years_without_data_are_no_rejects(recorded: Recorded) -> None:
    found = bls.parse(recorded("bls/v1_1913_1916.json"), _bls_key(1910), TRACKED)
    assert found.observations.height == 48
    assert figures(found)["bls_cpi_nsa_index", "1913-01-01"] == 9.8
    assert figures(found)["bls_cpi_nsa_index", "1913-11-01"] == 10.1
    assert figures(found)["bls_cpi_nsa_index", "1914-01-01"] == 10.0
    assert not any("No Data Available" in why for why in found.rejects["reason"])


def test_a_range_that_bls_shortened_is_refused_before_it_lands(recorded: Recorded) -> None:
    request = bls.plan(TRACKED, date(2026, 9, 28))[0]
    assert request.then is not None
    with pytest.raises(BadPayload, match="Year range has been reduced"):
        request.then(recorded("bls/v1_truncated.excerpt.json"))


# Answers about products, metals and countries that are not catalogued: for their shape


def _only(series_id: str, **changes: Any) -> Catalog:
    return Catalog([], [TRACKED.series[series_id].model_copy(update=changes)], [], [])


def test_the_census_table_was_asked_for_without_a_country_and_is_read_with_one(recorded: Recorded) -> None:
    body, key = recorded("census_trade/imports_854231_2013.json"), "imports/854231"
    select = {"commodity": "854231", "field": "GEN_VAL_MO"}
    catalog = _only("census_us_imports_refined_copper_usd", select=select)
    with pytest.raises(BadPayload, match="0 columns 'CTY_CODE'"):
        census_trade.parse(body, key, catalog)
    header, *rows = json.loads(body)
    pinned = json.dumps([[*header, "CTY_CODE"], *([*row, "-"] for row in rows)]).encode()
    found = {period: value for (_, period), value in figures(census_trade.parse(pinned, key, catalog)).items()}
    assert (found["2013-01-01"], found["2013-03-01"], found["2013-06-01"]) == (1167461768, 1260593174, 1419086979)


@pytest.mark.parametrize(
    ("chapter", "country", "statistic", "words", "found", "missing"),
    [
        ("COBALT", "World total", "Production", ["mine production"], {"2024": 302000.0, "2025": 310000.0}, 0),
        ("COBALT", "Congo (Kinshasa)", "Production", ["mine production"], {"2024": 226000.0, "2025": 230000.0}, 0),
        ("RARE EARTHS", "World total", "Production", ["mine production"], {"2025": 390000.0}, 0),
        ("RARE EARTHS", "World total", "Reserves", ["reserves"], {}, 1),  # >85,000,000
        ("ANTIMONY", "United States", "Production", ["mine production"], {}, 1),  # a dash
    ],
)
def test_minerals_of_the_usgs(
    recorded: Recorded,
    chapter: str,
    country: str,
    statistic: str,
    words: list[str],
    found: dict[str, float],
    missing: int,
) -> None:
    series_id = "usgs_world_lithium_mine_production_tonnes"
    select = {"chapter": chapter, "table": "World", "country": country, "statistic": statistic, "words": words}
    catalog = _only(series_id, select={**select, "unit": "metric tons"})
    body = recorded("usgs_mcs/MCS2026_Commodities_Data.excerpt.csv")
    parsed = usgs_mcs.parse(body, f"mcs2026/{usgs_mcs.FILE_NAME}", catalog)
    assert figures(parsed) == {(series_id, f"{year}-01-01"): value for year, value in found.items()}
    assert parsed.missing.get(series_id, 0) == missing
    assert parsed.rejects.is_empty()


def test_a_native_answer_of_the_world_bank(recorded: Recorded) -> None:
    catalog = _only("wb_gdp_usa_usd", select={"indicator": "SP.POP.TOTL", "country": "USA"})
    body = recorded("worldbank_indicators/SP.POP.TOTL_USA_2022_2023.json")
    parsed = worldbank_indicators.parse(body, "SP.POP.TOTL/USA", catalog)
    assert sorted(figures(parsed).values()) == [333996304.0, 336755052.0]


def test_releases_of_the_tariff_schedule(recorded: Recorded) -> None:
    parsed = usitc_hts.parse(recorded("usitc_hts/releaseList.first3.json"), "releases", TRACKED)
    assert parsed.tariff_releases.select("release_id", "status", "release_start_date").rows() == [
        ("2026HTSRev20", "current", date(2026, 9, 28)),
        ("2026HTSRev19", "archive", date(2026, 9, 15)),
        ("2026HTSRev18", "archive", date(2026, 9, 2)),
    ]
    assert parsed.rejects.is_empty()


# SEC


def test_amazons_cash_flow_in_the_data_set_of_2009q3(recorded: Recorded) -> None:
    body = recorded("sec/financial_statements/2009q3.zip")
    facts = sec_financial_statements.parse(body, "2009q3", TRACKED).filing_facts
    tag = "NetCashProvidedByUsedInOperatingActivities"
    cash = facts.filter(cik=1018724, tag=tag, period_end=date(2009, 6, 30))
    # In num.txt of accession 0001193125-09-154174: one, two and four quarters to June 2009.
    assert dict(cash.select("period_start", "value").iter_rows()) == {
        date(2009, 4, 1): 468e6,
        date(2009, 1, 1): -117e6,
        date(2008, 7, 1): 1878e6,
    }


def test_the_filings_of_microsoft(recorded: Recorded) -> None:
    body = recorded("sec/submissions/CIK0000789019.json")
    found = sec_edgar.parse(body, "submissions/CIK0000789019", TRACKED).filings
    assert found.sort("filing_date").tail(3).select("form", "filing_date", "report_date", "accession").rows() == [
        ("10-K", date(2025, 7, 30), date(2025, 6, 30), "0000950170-25-100235"),
        ("10-Q", date(2025, 10, 29), date(2025, 9, 30), "0001193125-25-256321"),
        ("10-Q", date(2026, 1, 28), date(2025, 12, 31), "0001193125-26-027207"),
    ]


# Yahoo


def test_the_bars_of_gold_stand_at_midnight_in_new_york(recorded: Recorded) -> None:
    """The excerpt has stamps and closes as sent; the rest of the envelope was trimmed and is made up here."""
    [result] = json.loads(recorded("yahoo/GC=F_2026-09.excerpt.json"))["chart"]["result"]
    bars = zip(result["timestamp"], result["indicators"]["quote"][0]["close"], strict=True)
    parsed = yahoo.parse(chart("GC=F", bars), "chart/GC=F", TRACKED)
    found = {period: value for (_, period), value in figures(parsed).items()}
    assert (found["2026-09-02"], found["2026-09-09"], found["2026-09-18"]) == (4414.6, 4460.7, 4424.9)
    assert parsed.missing == {"yahoo_gold_usd_per_troy_ounce": 1}
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize(
    ("file", "at", "closes"),
    [
        # 10:00 in New York: Monday's session has not ended, so its midnight bar is no close.
        ("monday_1000.json", "2026-11-23 15:00", {"2026-11-20": 5.0}),
        ("tuesday_1830.json", "2026-11-24 23:30", {"2026-11-20": 5.0, "2026-11-23": 5.05, "2026-11-24": 5.06}),
    ],
)
def test_a_session_that_has_not_ended_has_no_close(cases: Path, file: str, at: str, closes: dict[str, float]) -> None:
    case = cases / "yahoo_9" / file
    with warehouse.scratch() as raw:
        moment = datetime.fromisoformat(at)
        payload = ingest.Payload("a" * 64, "chart/HG=F", moment, case.read_bytes())
        ingest.load_payload(raw, payload, TRACKED.sources["yahoo"], yahoo, TRACKED, ingest.Report())
        rows = raw.execute("select cast(period as varchar), value from raw.observation order by period").fetchall()
        assert dict(rows) == closes
        assert raw.execute("select sum(quarantined) from raw.coverage").fetchall() == [(0,)]
