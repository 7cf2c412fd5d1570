"""UN Comtrade preview on bodies in the documented shape (not recorded), breakdown rows and refusals included."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, comtrade
from tests.recordings import Recordings

KEY = "imports/842/2603+7403/202601"
ROW: dict[str, Any] = {
    "typeCode": "C",
    "freqCode": "M",
    "refYear": 2026,
    "refMonth": 1,
    "period": "202601",
    "reporterCode": 842,
    "reporterDesc": "USA",
    "flowCode": "M",
    "partnerCode": 0,
    "partner2Code": 0,
    "cmdCode": "7403",
    "customsCode": "C00",
    "motCode": 0,
    "qtyUnitCode": 8,
    "qty": 300000000,
    "netWgt": 300000000.5,
    "cifvalue": 2900000000.25,
    "fobvalue": None,
    "primaryValue": 2900000000.25,
    "isReported": False,
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


def body(*rows: dict[str, Any], **changes: Any) -> bytes:
    document = {"elapsedTime": "0.05 secs", "count": len(rows), "data": list(rows), "error": ""}
    return json.dumps(document | changes).encode()


def test_value_and_weight_of_a_month(catalog: Catalog) -> None:
    parsed = comtrade.parse(body(ROW, ROW | {"cmdCode": "2603", "netWgt": 2.5e8}), KEY, catalog)

    assert dict(parsed.observations.schema) == OBSERVATION
    figures = {row["series_id"]: (row["period"], row["value"]) for row in parsed.observations.to_dicts()}
    assert figures == {
        "comtrade_us_imports_refined_copper_usd": (date(2026, 1, 1), 2900000000.25),
        "comtrade_us_imports_refined_copper_kg": (date(2026, 1, 1), 300000000.5),
        "comtrade_us_imports_copper_ores_usd": (date(2026, 1, 1), 2900000000.25),
        "comtrade_us_imports_copper_ores_kg": (date(2026, 1, 1), 250000000.0),
    }
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


def test_a_month_without_rows_is_missing_and_no_error(catalog: Catalog) -> None:
    parsed = comtrade.parse(body(), KEY, catalog)
    assert parsed.observations.is_empty()
    assert parsed.rejects.is_empty()
    assert sorted(parsed.missing.items()) == [
        ("comtrade_us_imports_copper_ores_kg", 1),
        ("comtrade_us_imports_copper_ores_usd", 1),
        ("comtrade_us_imports_refined_copper_kg", 1),
        ("comtrade_us_imports_refined_copper_usd", 1),
    ]


@pytest.mark.parametrize(
    "weight",
    [
        {"netWgt": None},
        {"netWgt": 0},
        {"netWgt": 0.0},
        {"netWgt": None, "altQtyUnitCode": 8, "altQty": 111008405.0},
        {"netWgt": 111008405.0, "isNetWgtEstimated": True},
    ],
)
def test_a_weight_that_was_not_reported_is_missing(catalog: Catalog, weight: dict[str, Any]) -> None:
    parsed = comtrade.parse(body(ROW | weight), KEY, catalog)
    assert parsed.observations["series_id"].to_list() == ["comtrade_us_imports_refined_copper_usd"]
    assert parsed.missing["comtrade_us_imports_refined_copper_kg"] == 1


@pytest.mark.parametrize(
    "change",
    [{"motCode": 2100}, {"customsCode": "C01"}, {"partner2Code": 152}, {"partnerCode": 152}, {"period": "202512"}],
)
def test_a_breakdown_row_is_refused(catalog: Catalog, change: dict[str, Any]) -> None:
    with pytest.raises(BadPayload, match="a row that was not requested"):
        comtrade.parse(body(ROW, ROW | {"cmdCode": "2603"} | change), KEY, catalog)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (body(ROW, ROW | {"primaryValue": 1}), "commodity 7403 is on more than one row"),
        (body(*[ROW] * 500), "a full page of 500 rows"),
        (body(ROW, count=7), "1 rows, but a count of 7"),
        (body(error="Quota exceeded"), "refused: Quota exceeded"),
        (body({k: v for k, v in ROW.items() if k != "netWgt"}), "the rows have no 'netWgt'"),
        (b"<html>busy</html>", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"data": null}', "no list of rows"),
    ],
)
def test_an_answer_that_is_not_the_month_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        comtrade.parse(broken, KEY, catalog)


@pytest.mark.parametrize("key", ["imports/842/7403", "imports/36/7403/202601", "imports/842/8401/202601"])
def test_a_key_that_no_series_reads_is_refused(catalog: Catalog, key: str) -> None:
    with pytest.raises(BadPayload, match=r"is not of the form|no catalogued series reads"):
        comtrade.parse(body(), key, catalog)


def test_text_in_place_of_a_figure_is_rejected(catalog: Catalog) -> None:
    parsed = comtrade.parse(body(ROW | {"primaryValue": "n/r"}), KEY, catalog)
    assert parsed.rejects["reason"].to_list() == ["not a number: 'n/r'"]


def test_every_month_is_asked_for_and_none_is_closed(catalog: Catalog) -> None:
    requests = comtrade.plan(catalog, date(2026, 11, 22))

    commodities = "2603+283691+7106+7403+7404+7601"
    assert len(requests) == 34  # January 2024 to October 2026
    assert requests[0].key == f"imports/842/{commodities}/202610"
    assert requests[-1].key == f"imports/842/{commodities}/202401"
    assert not any(request.closed or request.then for request in requests), "a month without rows is an answer"
    assert dict(requests[0].params) == {
        "reporterCode": "842",
        "period": "202610",
        "flowCode": "M",
        "cmdCode": commodities.replace("+", ","),
        "partnerCode": "0",
        "partner2Code": "0",
        "customsCode": "C00",
        "motCode": "0",
        "maxRecords": "500",
        "includeDesc": "true",
    }


@pytest.mark.recorded
def test_a_recorded_month_is_read_and_one_without_rows_is_an_answer(recordings: list[Path]) -> None:
    """Commodity 281820, which is not catalogued: the recordings are there for their shape."""
    found = Recordings(recordings)
    recorded = found.path("comtrade/842_281820_202606.json").read_bytes()
    measures = {"usd": "primaryValue", "kg": "netWgt", "free_on_board_usd": "fobvalue"}
    tracked = load(Settings().catalog_dir).series["comtrade_us_imports_silver_usd"]
    chosen = {"reporter": "842", "commodity": "281820"}
    shape = Catalog(
        [],
        [tracked.model_copy(update={"id": n, "select": chosen | {"measure": m}}) for n, m in measures.items()],
        [],
        [],
    )
    parsed = comtrade.parse(recorded, "imports/842/281820/202606", shape)
    assert dict(parsed.observations.select("series_id", "value").iter_rows()) == {
        "usd": 61699469.0,
        "kg": 111008405.0,
        "free_on_board_usd": 59642590.0,
    }
    without = found.path("comtrade/842_281820_202607.empty.json").read_bytes()
    empty = comtrade.parse(without, "imports/842/281820/202607", shape)
    assert (empty.observations.height, empty.rejects.height) == (0, 0)
    assert empty.missing == dict.fromkeys(measures, 1)
