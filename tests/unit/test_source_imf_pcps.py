"""The IMF module on SDMX CSV in the documented shape (not recorded) and on small workbooks in the recorded layout."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, _sheets, imf_pcps
from tests.replay_routes.gpr import workbook
from tests.replay_routes.imf_pcps import HEADER, table


def series(series_id: str, indicator: str, description: str) -> Series:
    return Series(
        id=series_id,
        source="imf_pcps",
        title=series_id,
        publisher="IMF",
        select={"indicator": indicator, "description": description},
        unit="usd_per_tonne",
        frequency=Frequency.MONTHLY,
        plausible=(1, 1e6),
        publication_lag_days=20,
        staleness_limit_days=80,
        licence="IMF",
        history=History.STABLE,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("copper", "PCOPP", "Copper,"),
        series("lithium", "PLITH", "Lithium Metal"),
        series("uranium", "PURAN", "Uranium,"),
    ],
    [],
    [],
)
CODES = ["Commodity", "PCOPP", "PURAN", "", ""]
DESCRIPTIONS = [
    "Commodity.Description",
    "Copper, grade A cathode, US$ per metric ton",
    "Uranium, NUEXCO, US$ per pound",
    "Lithium Metal =99%, Battery Grade",
    "Silicon Lumps CIF NWE (US$/MT)",
]
TYPES = ["Data Type", "USD", "USD", "USD", "USD"]
FREQUENCIES = ["Frequency", "Monthly", "Monthly", "Monthly", "Monthly"]
MONTHS = [["2011M2", "9880.9375", "65", "", "2300"], ["2025M12", "11791.9", "63.51", "134000.5", "2025"]]


def external(*rows: list[str]) -> bytes:
    return workbook({"Notes": [["IMF"]], "External": list(rows)})


def test_sdmx_rows_are_read_by_name_and_an_empty_figure_is_missing() -> None:
    rows = [("2026-M06", "13100.5"), ("2026-M07", ""), ("2026-M08", "13542.82")]
    parsed = imf_pcps.parse(table("PCOPP", rows), "PCPS/PCOPP", CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.rows() == [
        ("copper", date(2026, 6, 1), 13100.5, 2, "row 1"),
        ("copper", date(2026, 8, 1), 13542.82, 2, "row 3"),
    ]
    assert parsed.missing == {"copper": 1}
    assert parsed.rejects.is_empty()


def test_columns_in_another_order_and_attributes_with_line_breaks_do_no_harm() -> None:
    body = (
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQUENCY,INDICATOR,COUNTRY,NOTE,DATA_TRANSFORMATION,OBS_VALUE,TIME_PERIOD\r\n"
        'dataflow,IMF.RES:PCPS(9.0.0),I,M,PCOPP,G001,"two\nlines, one cell",USD,9880.9375,2011-M02\r\n'
    )
    parsed = imf_pcps.parse(body.encode(), "PCPS/PCOPP", CATALOG)
    assert parsed.observations.select("period", "value").rows() == [(date(2011, 2, 1), 9880.9375)]


def test_a_price_of_zero_and_a_period_that_is_no_month_are_rejected() -> None:
    rows = [("2026-M06", "0"), ("2026-M07", "0.0"), ("2026-Q3", "1"), ("2026-M13", "1"), ("2026-M08", "x")]
    parsed = imf_pcps.parse(table("PCOPP", [*rows, ("2026-M09", "5")]), "PCPS/PCOPP", CATALOG)
    assert parsed.observations.height == 1
    assert sorted(parsed.rejects.get_column("reason").to_list()) == [
        "a price of 0",
        "a price of 0",
        "not a number: 'x'",
        "not a period of this series: '2026-M13'",
        "not a period of this series: '2026-Q3'",
    ]


@pytest.mark.parametrize(
    ("body", "key", "what"),
    [
        (b"<html>502</html>", "PCPS/PCOPP", "not the SDMX CSV"),
        (b'{"meta": {}, "data": {"dataSets": []}}', "PCPS/PCOPP", "not the SDMX CSV"),
        (b"", "PCPS/PCOPP", "not a CSV: "),
        (table("PCOPP", []), "PCPS/PCOPP", r"no observation under G001\.PCOPP\.USD\.M"),
        ((HEADER + "\n").encode(), "PCPS/PCOPP", "no observation"),
        (table("PCOPP", [("2026-M08", "1")], country="W00"), "PCPS/PCOPP", "rows with COUNTRY 'W00'"),
        (table("PZINC", [("2026-M08", "1")]), "PCPS/PCOPP", "rows with INDICATOR 'PZINC'"),
        (
            table("PCOPP", [("2026-M08", "1")]).replace(b",USD,", b",INDEX,"),
            "PCPS/PCOPP",
            "DATA_TRANSFORMATION 'INDEX'",
        ),
        (table("PCOPP", [("2026-M08", "1")]).replace(b"OBS_VALUE", b"VALUE"), "PCPS/PCOPP", "no column OBS_VALUE"),
        (table("PCOPP", [("2026-M08", "1")])[:-4], "PCPS/PCOPP", "more or fewer cells"),
        (table("PZINC", [("2026-M08", "1")]), "PCPS/PZINC", "no catalogued series reads"),
        (table("PCOPP", [("2026-M08", "1")]), "PCOPP", "no catalogued series reads"),
        (table("PCOPP", [("2026-M08", "1")]), "external-data", "not a readable workbook"),
        (workbook({"External": [["Commodity", "PCOPP"]]}), "external-data", "no sheet has the rows"),
        (external(CODES, DESCRIPTIONS, TYPES, FREQUENCIES), "external-data", "no months below"),
        (
            external(["Commodity", "PX"], [*DESCRIPTIONS[:1], "X"], TYPES[:2], FREQUENCIES[:2], ["2011M2", "1"]),
            "external-data",
            "none of the catalogued columns",
        ),
    ],
)
def test_another_format_or_another_series_is_refused(body: bytes, key: str, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        imf_pcps.parse(body, key, CATALOG)


@pytest.mark.parametrize(
    "header",
    [(CODES, DESCRIPTIONS, TYPES, FREQUENCIES), (DESCRIPTIONS, CODES, FREQUENCIES, TYPES)],
    ids=["one order", "another order"],
)
def test_header_rows_are_told_by_their_labels_and_lithium_by_its_description(header: tuple[list[str], ...]) -> None:
    parsed = imf_pcps.parse(external(*header, *MONTHS), "external-data", CATALOG)
    assert parsed.observations.select("series_id", "period", "value").sort("series_id", "period").rows() == [
        ("copper", date(2011, 2, 1), 9880.9375),
        ("copper", date(2025, 12, 1), 11791.9),
        ("lithium", date(2025, 12, 1), 134000.5),
        ("uranium", date(2011, 2, 1), 65.0),
        ("uranium", date(2025, 12, 1), 63.51),
    ]
    assert parsed.missing == {"lithium": 1}
    assert parsed.rejects.is_empty()


def test_a_workbook_column_that_changed_fails_its_series_alone() -> None:
    swapped = [DESCRIPTIONS[0], "Cotton, US cents per pound", *DESCRIPTIONS[2:]]
    types = [*TYPES[:2], "Index", *TYPES[3:]]
    parsed = imf_pcps.parse(external(CODES, swapped, types, FREQUENCIES, *MONTHS), "external-data", CATALOG)
    assert set(parsed.observations.get_column("series_id")) == {"lithium"}
    assert parsed.rejects.rows() == [
        ("copper", "External!A", "0 columns PCOPP that begin with 'Copper,'"),
        ("uranium", "External!C", "column PURAN is 'Index, Monthly', not 'USD, Monthly'"),
    ]


def test_a_workbook_that_unzips_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sheets, "MAX_UNZIPPED_BYTES", 100)
    with pytest.raises(BadPayload, match="more than the 100 allowed"):
        imf_pcps.parse(external(CODES, DESCRIPTIONS, TYPES, FREQUENCIES, *MONTHS), "external-data", CATALOG)


def test_one_request_per_indicator_in_the_order_of_the_key() -> None:
    requests = imf_pcps.plan(CATALOG, date(2026, 11, 22))
    assert [request.key for request in requests] == ["PCPS/PCOPP", "PCPS/PLITH", "PCPS/PURAN"]
    assert requests[0].url == ("https://api.imf.org/external/sdmx/3.0/data/dataflow/IMF.RES/PCPS/+/G001.PCOPP.USD.M")
    assert requests[0].headers == {"Accept": "application/vnd.sdmx.data+csv;version=1.0.0"}
