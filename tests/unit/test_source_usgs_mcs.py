"""USGS Mineral Commodity Summaries on bodies in the documented shape (not recorded): labels, markers, marks, units."""

from __future__ import annotations

import json
from datetime import date

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, usgs_mcs

KEY = f"mcs2026/{usgs_mcs.FILE_NAME}"
HEADER = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes"
)
WORLD = "COPPER,World Mine and Refinery Production and Reserves,Copper"
SALIENT = "COPPER,Salient Statistics—United States,Copper,United States"
PGM = "PLATINUM-GROUP METALS,World Mine Production and Reserves,Platinum-Group Metals"


def row(start: str, country: str, detail: str, unit: str, year: str, value: str, statistic: str = "Production") -> str:
    return f'{start},{country},{statistic},"{detail}",{unit},{year},"{value}",Estimated.,Yes,"a note, with a comma"'


ROWS = (
    row(WORLD, "Chile", "Mine production", "thousand metric tons", "2025", "5,300"),
    row(WORLD, "World total", "Mine production: rounded", "thousand metric tons", "2024", "23,000"),
    row(WORLD, "World total", "Mine production: rounded", "thousand metric tons", "2025", "23,000e"),
    row(WORLD, "World total", "Refinery production: rounded", "thousand metric tons", "2025", "e29,000"),
    row(WORLD, "China", "Refinery production", "thousand metric tons", "2025", "13,000"),
    row(WORLD, "United States", "Refinery production", "thousand metric tons", "2025", "W"),
    row(WORLD, "World total", "Reserves", "thousand metric tons", "2025", "980,000", "Reserves"),
    f"{SALIENT},Production,Mine production,thousand metric tons,2025,1000,,Yes,",
    f"{SALIENT},Net import reliance,As a percentage of apparent consumption,percent,2024,45,,Yes,",
    f"{SALIENT},Net import reliance,As a percentage of apparent consumption,percent,2025,>50,,Yes,",
    row(PGM, "World total", "Mine production, platinum: rounded", "kilograms", "2025", "170,000"),
    row(PGM, "World total", "Mine production, palladium: rounded", "kilograms", "2025", "190,000"),
)
WANTED = ("copper", "platinum", "palladium")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    loaded = load(Settings().catalog_dir)
    wanted = [s for s in loaded.series_of("usgs_mcs") if s.metal in WANTED]
    return Catalog([], [s for s in wanted if "za_" not in s.id and "ru_" not in s.id], [], [])


def body(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows]).encode("cp1252")


def test_series_are_picked_by_label_and_world_totals_from_their_own_row(catalog: Catalog) -> None:
    parsed = usgs_mcs.parse(body(*ROWS), KEY, catalog)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert sorted(parsed.observations.select("series_id", "period", "value").rows()) == [
        ("usgs_cn_copper_refinery_production_thousand_tonnes", date(2025, 1, 1), 13000.0),
        ("usgs_us_copper_import_reliance_pct", date(2024, 1, 1), 45.0),
        ("usgs_world_copper_mine_production_thousand_tonnes", date(2024, 1, 1), 23000.0),
        ("usgs_world_copper_mine_production_thousand_tonnes", date(2025, 1, 1), 23000.0),
        ("usgs_world_copper_refinery_production_thousand_tonnes", date(2025, 1, 1), 29000.0),
        ("usgs_world_palladium_mine_production_kg", date(2025, 1, 1), 190000.0),
        ("usgs_world_platinum_mine_production_kg", date(2025, 1, 1), 170000.0),
    ]


def test_withheld_figures_and_bounds_are_missing(catalog: Catalog) -> None:
    parsed = usgs_mcs.parse(body(*ROWS), KEY, catalog)
    assert parsed.missing == {
        "usgs_us_copper_import_reliance_pct": 1,
        "usgs_us_copper_refinery_production_thousand_tonnes": 1,
    }


@pytest.mark.parametrize(
    "value", ["W", "NA", "XX", "—", "", "<1", "> 75", "500–16,000", "Large", "Very small", "E", "s"]
)
def test_no_marker_becomes_a_figure(catalog: Catalog, value: str) -> None:
    rows = [row(WORLD, "China", "Refinery production", "thousand metric tons", "2025", value), ROWS[1]]
    parsed = usgs_mcs.parse(body(*rows), KEY, catalog)
    series = "usgs_cn_copper_refinery_production_thousand_tonnes"
    assert parsed.missing == {series: 1}
    assert series not in parsed.observations["series_id"].to_list()


def test_another_unit_is_rejected(catalog: Catalog) -> None:
    rows = [ROWS[4].replace("thousand metric tons", "metric tons"), ROWS[1]]
    rejects = usgs_mcs.parse(body(*rows), KEY, catalog).rejects
    assert (
        "usgs_cn_copper_refinery_production_thousand_tonnes",
        "record 2",
        "the unit is 'metric tons', not 'thousand metric tons'",
    ) in rejects.rows()


def test_a_series_without_a_row_is_named_and_two_rows_for_a_year_are_rejected(catalog: Catalog) -> None:
    parsed = usgs_mcs.parse(body(ROWS[1], ROWS[1]), KEY, catalog)
    assert parsed.observations.is_empty()
    reasons = dict(parsed.rejects.select("series_id", "reason").iter_rows())
    assert reasons["usgs_us_copper_import_reliance_pct"].startswith("no row fits")
    assert reasons["usgs_world_copper_mine_production_thousand_tonnes"] == (
        "period 2024 is in the payload more than once"
    )


def test_text_and_a_span_of_years_are_rejected(catalog: Catalog) -> None:
    rows = [ROWS[1].replace("23,000", "about 23"), ROWS[2].replace("2025,", "2021–24,")]
    rejects = usgs_mcs.parse(body(*rows), KEY, catalog).rejects
    found = [reason for reason in rejects["reason"] if not reason.startswith("no row fits")]
    assert sorted(found) == ["not a number: 'about 23'", "not a period of this series: '2021–24'"]


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"<html>403</html>", "an HTML page in place of a CSV"),
        (body(*ROWS, header=HEADER.replace("Statistics_detail", "Detail")), "not the data release"),
        (body(ROWS[0]), "no row fits any catalogued series"),
        (b"", "not the data release"),
    ],
)
def test_another_file_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        usgs_mcs.parse(broken, KEY, catalog)


def item(**file: str) -> bytes:
    return json.dumps({"id": "696a75d5d4be0228872d3bf8", "files": [{"name": "other.zip"}, file]}).encode()


ADDRESS = "https://www.sciencebase.gov/catalog/file/get/696a75d5d4be0228872d3bf8?f=__disk__ab%2Fcd"


def test_the_item_names_the_address_of_the_file(catalog: Catalog) -> None:
    (first,) = usgs_mcs.plan(catalog, date(2026, 11, 22))
    assert not first.land
    assert first.then is not None
    (second,) = first.then(item(name=usgs_mcs.FILE_NAME, url=ADDRESS))
    assert (second.key, second.url) == (KEY, ADDRESS)
    (second,) = first.then(item(name=usgs_mcs.FILE_NAME, url="http://x", downloadUri=ADDRESS))
    assert second.url == ADDRESS


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (item(name="MCS2027_Commodities_Data.csv", url=ADDRESS), "lists no MCS2026_Commodities_Data.csv"),
        (item(name=usgs_mcs.FILE_NAME, url="https://elsewhere.example/x.csv"), "is said to stand at"),
        (item(name=usgs_mcs.FILE_NAME), "is said to stand at ''"),
        (b"{}", "lists no MCS2026"),
        (b"[]", "lists no MCS2026"),
        (b"{", "not JSON"),
    ],
)
def test_an_item_without_the_file_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    (request,) = usgs_mcs.plan(catalog, date(2026, 11, 22))
    assert request.then is not None
    with pytest.raises(BadPayload, match=what):
        request.then(broken)
