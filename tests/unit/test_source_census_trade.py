"""Census imports on bodies in the documented shape (not recorded), and the answers that must not pass for figures."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, census_trade
from tests.replay_routes import census_trade as replayed

KEY = "imports/7403"
HEADER = ["CAL_DUT_MO", "CON_VAL_MO", "GEN_CIF_MO", "GEN_VAL_MO", "COMM_LVL", "I_COMMODITY", "CTY_CODE", "time"]
JUNE = ["1234567", "870000000", "901234567", "890000001", "HS4", "7403", "-", "2026-06"]
JULY = ["0", "770000000", "801234567", "790000001", "HS4", "7403", "-", "2026-07"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


def body(*rows: Any, header: Any = HEADER) -> bytes:
    return json.dumps([header, *rows]).encode()


def changed(row: list[str], **cells: Any) -> list[Any]:
    return [cells.get(name, cell) for name, cell in zip(HEADER, row, strict=True)]


def test_values_and_duty_of_two_months_as_printed(catalog: Catalog) -> None:
    parsed = census_trade.parse(body(JUNE, JULY), KEY, catalog)
    assert dict(parsed.observations.schema) == OBSERVATION
    assert sorted(parsed.observations.select("series_id", "period", "value").rows()) == [
        ("census_us_imports_refined_copper_cif_usd", date(2026, 6, 1), 901234567.0),
        ("census_us_imports_refined_copper_cif_usd", date(2026, 7, 1), 801234567.0),
        ("census_us_imports_refined_copper_consumption_usd", date(2026, 6, 1), 870000000.0),
        ("census_us_imports_refined_copper_consumption_usd", date(2026, 7, 1), 770000000.0),
        ("census_us_imports_refined_copper_duty_usd", date(2026, 6, 1), 1234567.0),
        ("census_us_imports_refined_copper_duty_usd", date(2026, 7, 1), 0.0),  # a duty of nothing is a figure
        ("census_us_imports_refined_copper_usd", date(2026, 6, 1), 890000001.0),
        ("census_us_imports_refined_copper_usd", date(2026, 7, 1), 790000001.0),
    ]
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


def test_a_null_is_missing_and_text_is_rejected(catalog: Catalog) -> None:
    parsed = census_trade.parse(body(changed(JUNE, CAL_DUT_MO=None), changed(JULY, GEN_VAL_MO="(S)")), KEY, catalog)
    assert parsed.missing == {"census_us_imports_refined_copper_duty_usd": 1}
    assert parsed.rejects["reason"].to_list() == ["not a number: '(S)'"]
    assert parsed.observations.height == 6


def test_a_year_in_place_of_a_month_is_rejected(catalog: Catalog) -> None:
    parsed = census_trade.parse(body(JUNE, changed(JULY, time="2026")), KEY, catalog)
    assert set(parsed.rejects["reason"]) == {"not a period of this series: '2026'"}
    assert parsed.observations.height == 4


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ({"CTY_CODE": "1220"}, "a row that was not requested: .*1220"),  # Canada beside the total
        ({"CTY_CODE": "0014"}, "a row that was not requested: .*0014"),  # a region
        ({"COMM_LVL": "HS6"}, "a row that was not requested: .*HS6"),
        ({"I_COMMODITY": "7404"}, "a row that was not requested: .*7404"),
        ({"time": "2026-06"}, "month 2026-06 is on more than one row"),
    ],
)
def test_a_row_that_would_be_counted_twice_is_refused(catalog: Catalog, cells: dict[str, str], what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        census_trade.parse(body(JUNE, changed(JULY, **cells)), KEY, catalog)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"<html><head><title>Missing Key</title></head></html>", "not JSON"),
        (b"", "not JSON"),
        (b"{}", "not a table with a header and rows"),
        (b"[]", "not a table with a header and rows"),
        (body(), "not a table with a header and rows"),
        (b'[["time"], "2026-06"]', "not a table with a header and rows"),
        (body(JUNE[:-1]), "not of the header's length"),
        (body(changed(JUNE, GEN_VAL_MO=890000001)), "or not of text"),
        (body(JUNE, header=[*HEADER[:3], "GEN_VAL_YR", *HEADER[4:]]), "0 columns 'GEN_VAL_MO'"),
        (body([*JUNE, "7403"], header=[*HEADER, "I_COMMODITY"]), "2 columns 'I_COMMODITY'"),
    ],
)
def test_an_answer_that_is_not_the_table_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        census_trade.parse(broken, KEY, catalog)


@pytest.mark.parametrize("key", ["imports/8401", "exports/7403", "7403"])
def test_a_key_that_no_series_reads_is_refused(catalog: Catalog, key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        census_trade.parse(body(JUNE), key, catalog)


def test_one_request_per_product_pins_level_and_total_and_holds_no_key(catalog: Catalog) -> None:
    requests = census_trade.plan(catalog, date(2026, 11, 24))
    assert sorted(r.key for r in requests) == [
        f"imports/{c}" for c in ("2603", "283691", "7106", "7403", "7404", "7601")
    ]
    assert {r.key_parameter for r in requests} == {"key"}
    assert dict(requests[0].params) == {
        "get": "CAL_DUT_MO,CON_VAL_MO,GEN_CIF_MO,GEN_VAL_MO",
        "COMM_LVL": "HS4",
        "I_COMMODITY": "7403",
        "CTY_CODE": "-",
        "time": "from 2013-01 to 2026-09",
    }
    assert all(request.absent_ok for request in requests), "204: not out yet"
    [lithium] = [r for r in requests if r.key == "imports/283691"]
    assert dict(lithium.params)["COMM_LVL"] == "HS6"


@pytest.mark.parametrize(
    ("today", "newest"),
    [("2026-12-02", "2026-09"), ("2026-12-03", "2026-10"), ("2027-01-01", "2026-10"), ("2027-02-28", "2026-12")],
)
def test_the_range_ends_with_the_last_month_that_can_be_out(catalog: Catalog, today: str, newest: str) -> None:
    times = {dict(r.params)["time"] for r in census_trade.plan(catalog, date.fromisoformat(today))}
    assert times == {f"from 2013-01 to {newest}"}


def test_every_product_of_comtrade_for_the_united_states_is_read(catalog: Catalog) -> None:
    comtrade = {s.select["commodity"] for s in catalog.series_of("comtrade") if s.select["reporter"] == "842"}
    assert {s.select["commodity"] for s in catalog.series_of("census_trade")} == comtrade


def test_the_replayed_answer_is_read_and_ends_two_months_back(catalog: Catalog) -> None:
    [request] = [r for r in census_trade.plan(catalog, date(2026, 8, 21)) if r.key == KEY]
    query = {name: [value] for name, value in (*request.params, ("key", "a key"))}
    [(_, _, imports), _] = replayed.routes()
    status, _, answer, *_ = imports(query, b"", date(2026, 8, 21))
    assert status == 200
    parsed = census_trade.parse(answer, KEY, catalog)
    months = parsed.observations["period"]
    assert (months.min(), months.max()) == (date(2013, 1, 1), date(2026, 6, 1))
    with pytest.raises(BadPayload, match="a row that was not requested"):  # the naive question
        census_trade.parse(imports({**query, "CTY_CODE": [""]}, b"", date(2026, 8, 21))[2], KEY, catalog)
