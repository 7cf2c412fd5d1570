"""Ember's monthly file on bodies in the documented shape (not recorded): sums, regions and both date formats."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, ember

HEADER = (
    "Area,ISO 3 code,Date,Area type,Electricity source,Is aggregated source,Generation (TWh),"
    "Generation YoY change (TWh),Share of generation (%),Emissions (MtCO2e),Continent,ASEAN member"
)
TAIL = ",,50.5,,Asia,False"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    loaded = load(Settings().catalog_dir)
    wanted = [s for s in loaded.series_of("ember") if s.select["iso"] in ("CHN", "PHL")]
    return Catalog([], wanted, [], [])


def body(*rows: str, header: str = HEADER) -> bytes:
    return ("\r\n".join([header, *(row + TAIL for row in rows)]) + "\r\n").encode()


ROWS = (
    "China,CHN,2026-07-01,Country or economy,Coal,False,523.4",
    "China,CHN,2026-07-01,Country or economy,Fossil,True,556.1",
    "China,CHN,2026-07-01,Country or economy,Total generation,True,1001.25",
    "Asia,,2026-07-01,Region,Coal,False,901.2",
    "The Philippines,PHL,2026-07-01,Country or economy,Coal,False,6.1",
    "The Philippines,PHL,2026-07-01,Country or economy,Total generation,True,11.3",
    "Viet Nam,VNM,2026-07-01,Country or economy,Coal,False,15.1",
)


def test_countries_and_sources_are_picked_and_nothing_is_counted_twice(catalog: Catalog) -> None:
    parsed = ember.parse(body(*ROWS), ember.KEY, catalog)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert dict(parsed.observations.select("series_id", "value").iter_rows()) == {
        "ember_cn_generation_coal_twh": 523.4,
        "ember_cn_generation_total_twh": 1001.25,
        "ember_ph_generation_coal_twh": 6.1,
        "ember_ph_generation_total_twh": 11.3,
    }
    assert set(parsed.observations["period"]) == {date(2026, 7, 1)}
    assert parsed.rejects.is_empty()


def test_an_aggregate_under_the_name_of_a_source_is_not_read(catalog: Catalog) -> None:
    rows = [*ROWS, "China,CHN,2026-08-01,Country or economy,Coal,True,999.9"]
    assert 999.9 not in ember.parse(body(*rows), ember.KEY, catalog).observations["value"].to_list()


def test_the_date_format_of_june_2026_is_read_as_day_month_year(catalog: Catalog) -> None:
    rows = [row.replace("2026-07-01", "01/07/2026") for row in ROWS]
    assert set(ember.parse(body(*rows), ember.KEY, catalog).observations["period"]) == {date(2026, 7, 1)}


@pytest.mark.parametrize("printed", ["2026-07-15", "07/01/2026", "2026-07", ""])
def test_a_date_that_begins_no_month_is_rejected(catalog: Catalog, printed: str) -> None:
    rows = [ROWS[0].replace("2026-07-01", printed), *ROWS[1:]]
    parsed = ember.parse(body(*rows), ember.KEY, catalog)
    assert parsed.rejects.rows() == [
        ("ember_cn_generation_coal_twh", "line 2", f"not a period of this series: '{printed}'")
    ]
    assert parsed.observations.height == 3


def test_a_month_that_stands_twice_is_rejected_whole(catalog: Catalog) -> None:
    parsed = ember.parse(body(*ROWS, ROWS[0]), ember.KEY, catalog)
    assert parsed.rejects["reason"].unique().to_list() == ["period 2026-07-01 is in the payload more than once"]
    assert parsed.rejects.height == 2


def test_a_blank_is_missing_and_an_absent_country_is_named(catalog: Catalog) -> None:
    rows = [ROWS[0].replace("523.4", ""), ROWS[2]]
    parsed = ember.parse(body(*rows), ember.KEY, catalog)
    assert parsed.missing == {"ember_cn_generation_coal_twh": 1}
    assert parsed.rejects.rows() == [
        ("ember_ph_generation_coal_twh", ember.KEY, "no row for Coal of PHL"),
        ("ember_ph_generation_total_twh", ember.KEY, "no row for Total generation of PHL"),
    ]


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"<!DOCTYPE html><title>Not found</title>", "an HTML page in place of a CSV"),
        (body(*ROWS, header=HEADER.replace("Generation (TWh),", "Generation,", 1)), "not the monthly file"),
        (
            b"Area,Country code,Date,Category,Subcategory,Variable,Unit,Value\nChina,CHN,2026-07-01,,,Coal,TWh,1",
            "monthly",
        ),
        (body("Viet Nam,VNM,2026-07-01,Country or economy,Coal,False,15.1"), "none of the catalogued countries"),
        (body(), "none of the catalogued countries"),
        (b"", "not the monthly file"),
    ],
)
def test_another_file_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        ember.parse(broken, ember.KEY, catalog)


def test_one_request_reads_the_file(catalog: Catalog) -> None:
    assert [r.key for r in ember.plan(catalog, date(2026, 11, 22))] == [ember.KEY]
    assert ember.plan(Catalog([], [], [], []), date(2026, 11, 22)) == []
    with pytest.raises(BadPayload, match="no catalogued series reads 'yearly'"):
        ember.parse(body(*ROWS), "yearly", catalog)
