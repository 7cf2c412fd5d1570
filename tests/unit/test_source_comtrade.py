"""UN Comtrade preview on bodies in the documented shape (not recorded), breakdown rows and refusals included."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, comtrade

KEY = "imports/156/2603+7403/202601"
ROW: dict[str, Any] = {
    "typeCode": "C",
    "freqCode": "M",
    "refYear": 2026,
    "refMonth": 1,
    "period": "202601",
    "reporterCode": 156,
    "reporterDesc": "China",
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
    parsed = comtrade.parse(body(ROW, ROW | {"cmdCode": "2603", "netWgt": 2.5e9}), KEY, catalog)

    assert dict(parsed.observations.schema) == OBSERVATION
    figures = {row["series_id"]: (row["period"], row["value"]) for row in parsed.observations.to_dicts()}
    assert figures == {
        "comtrade_cn_imports_refined_copper_usd": (date(2026, 1, 1), 2900000000.25),
        "comtrade_cn_imports_refined_copper_kg": (date(2026, 1, 1), 300000000.5),
        "comtrade_cn_imports_copper_ores_usd": (date(2026, 1, 1), 2900000000.25),
        "comtrade_cn_imports_copper_ores_kg": (date(2026, 1, 1), 2500000000.0),
    }
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


def test_a_month_without_rows_is_missing_and_no_error(catalog: Catalog) -> None:
    parsed = comtrade.parse(body(), KEY, catalog)
    assert parsed.observations.is_empty()
    assert parsed.rejects.is_empty()
    assert sorted(parsed.missing.items()) == [
        ("comtrade_cn_imports_copper_ores_kg", 1),
        ("comtrade_cn_imports_copper_ores_usd", 1),
        ("comtrade_cn_imports_refined_copper_kg", 1),
        ("comtrade_cn_imports_refined_copper_usd", 1),
    ]


@pytest.mark.parametrize("weight", [None, 0, 0.0])
def test_a_weight_of_zero_beside_a_value_is_not_reported(catalog: Catalog, weight: Any) -> None:
    parsed = comtrade.parse(body(ROW | {"netWgt": weight}), KEY, catalog)
    assert parsed.observations["series_id"].to_list() == ["comtrade_cn_imports_refined_copper_usd"]
    assert parsed.missing["comtrade_cn_imports_refined_copper_kg"] == 1


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


@pytest.mark.parametrize("key", ["imports/156/7403", "imports/36/7403/202601", "imports/156/8401/202601"])
def test_a_key_that_no_series_reads_is_refused(catalog: Catalog, key: str) -> None:
    with pytest.raises(BadPayload, match=r"is not of the form|no catalogued series reads"):
        comtrade.parse(body(), key, catalog)


def test_text_in_place_of_a_figure_is_rejected(catalog: Catalog) -> None:
    parsed = comtrade.parse(body(ROW | {"primaryValue": "n/r"}), KEY, catalog)
    assert parsed.rejects["reason"].to_list() == ["not a number: 'n/r'"]


def test_the_last_six_months_stay_open_and_the_others_are_closed(catalog: Catalog) -> None:
    requests = comtrade.plan(catalog, date(2026, 11, 22))

    assert len(requests) == 2 * 34  # January 2024 to October 2026, two reporters
    assert [r.key for r in requests[:3]] == [
        "imports/842/2603+283691+7106+7403+7404+7601/202610",
        "imports/156/2603+7403/202610",
        "imports/842/2603+283691+7106+7403+7404+7601/202609",
    ]
    assert [r.closed for r in requests] == [False] * 12 + [True] * 56
    assert requests[-1].key == "imports/156/2603+7403/202401"
    assert dict(requests[1].params) == {
        "reporterCode": "156",
        "period": "202610",
        "flowCode": "M",
        "cmdCode": "2603,7403",
        "partnerCode": "0",
        "partner2Code": "0",
        "customsCode": "C00",
        "motCode": "0",
        "maxRecords": "500",
        "includeDesc": "true",
    }


def test_an_old_month_without_rows_is_asked_for_again(catalog: Catalog) -> None:
    old = comtrade.plan(catalog, date(2026, 11, 22))[-1]
    assert old.then is not None
    assert old.then(body(ROW)) == []
    with pytest.raises(BadPayload, match="an old month without rows"):
        old.then(body())
