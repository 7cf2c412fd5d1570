"""The library of China's statistics office on answers in the documented shape: missing markers, ids and labels, months
that are together, and what is no answer. The figures are made up."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, nbs
from tests.replay_routes.nbs import document, month

PPI, OUTPUT, SINCE = "a1", "b1", "b2"
PPI_LABEL, OUTPUT_LABEL, SINCE_LABEL = (
    "工业生产者出厂价格指数 (上年同月=100)",
    "原铝（电解铝）产量当期值 (万吨) ",
    "原铝（电解铝）产量累计值  (万吨)",
)
KEY = "esData/products"


def series(series_id: str, table: str, indicator: str, label: str, **select: Any) -> Series:
    return Series(
        id=series_id,
        source="nbs",
        title=series_id,
        publisher="National Bureau of Statistics of China",
        select={"table": table, "indicator": indicator, "label": label, **select},
        unit="pct",
        frequency=Frequency.MONTHLY,
        plausible=(-50, 50000),
        publication_lag_days=20,
        staleness_limit_days=120,
        licence="official statistics",
        history=History.STABLE,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("ppi", "prices", PPI, r"^工业生产者出厂价格指数 ?\(上年同月=100\)", subtract=100),
        series("output", "products", OUTPUT, r"^原铝.*当期值 ?\(万吨\)$", months_alone=True),
        series("output_ytd", "products", SINCE, r"^原铝.*累计值 ?\(万吨\)$"),
    ],
    [],
    [],
)


def ppi(**figures: Any) -> bytes:
    """An answer to the table of prices; `m202608="103.8"`."""
    return document(*(month(f"{code[1:]}MM", (PPI, PPI_LABEL, value)) for code, value in figures.items()))


def products(**figures: tuple[Any, Any]) -> bytes:
    """An answer to the table of products: output of the month and since January."""
    return document(
        *(
            month(f"{code[1:]}MM", (OUTPUT, OUTPUT_LABEL, alone), (SINCE, SINCE_LABEL, total))
            for code, (alone, total) in figures.items()
        )
    )


def test_the_index_less_100_keeps_its_digits() -> None:
    parsed = nbs.parse(ppi(m202604="100", m202603="100.5", m202601="98.6"), "esData/prices", CATALOG)
    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("period").rows() == [
        ("ppi", date(2026, 1, 1), -1.4, 1, "a1 at 202601MM"),
        ("ppi", date(2026, 3, 1), 0.5, 1, "a1 at 202603MM"),
        ("ppi", date(2026, 4, 1), 0.0, 1, "a1 at 202604MM"),
    ]
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize("marker", ["", " ", "无", None])
def test_a_missing_value_is_missing_and_never_zero(marker: str | None) -> None:
    parsed = nbs.parse(ppi(m202604=marker, m202603="100.5"), "esData/prices", CATALOG)
    assert parsed.observations["value"].to_list() == [0.5]
    assert parsed.missing == {"ppi": 1}
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize("empty", [{"values": []}, {"values": None}])
def test_a_month_that_is_advertised_before_it_is_filled_is_missing(empty: dict[str, Any]) -> None:
    body = document(month("202608MM") | empty, month("202607MM", (PPI, PPI_LABEL, "103.5")))
    parsed = nbs.parse(body, "esData/prices", CATALOG)
    assert parsed.observations["period"].to_list() == [date(2026, 7, 1)]
    assert parsed.missing == {"ppi": 1}


def test_a_value_that_is_absent_beside_others_is_missing_for_its_series_alone() -> None:
    body = document(
        month("202604MM", (SINCE, SINCE_LABEL, "1520.1")),
        month("202603MM", (OUTPUT, OUTPUT_LABEL, "385.5"), (SINCE, SINCE_LABEL, "1137.8")),
    )
    parsed = nbs.parse(body, KEY, CATALOG)
    assert parsed.missing == {"output": 1}
    assert parsed.observations.height == 3


def test_empty_months_before_a_series_begins_are_none_of_its_months() -> None:
    parsed = nbs.parse(
        ppi(m202603="100.5", m202602="", m202601="98.6", m199001="", m199002=""), "esData/prices", CATALOG
    )
    assert parsed.observations.height == 2
    assert parsed.missing == {"ppi": 1}


def test_thousands_commas_are_no_part_of_a_figure() -> None:
    parsed = nbs.parse(products(m202603=("385.5", "1,137.8")), KEY, CATALOG)
    assert parsed.observations["value"].to_list() == [385.5, 1137.8]
    assert nbs.parse(products(m202603=("385.5", "1,1378")), KEY, CATALOG).rejects["reason"].to_list() == [
        "not a number: '1,1378'"
    ]


def test_january_is_never_made_up_and_the_sum_of_two_months_is_no_february() -> None:
    months = {
        "m202603": ("385.5", "1137.8"),
        "m202602": ("", "752.3"),
        "m202601": ("", ""),
        "m202512": ("387.0", "4500"),
    }
    parsed = nbs.parse(products(**months), KEY, CATALOG)
    assert parsed.observations.select("series_id", "period", "value").sort("series_id", "period").rows() == [
        ("output", date(2025, 12, 1), 387.0),
        ("output", date(2026, 3, 1), 385.5),
        ("output_ytd", date(2025, 12, 1), 4500.0),
        ("output_ytd", date(2026, 2, 1), 752.3),
        ("output_ytd", date(2026, 3, 1), 1137.8),
    ]
    assert parsed.missing == {"output": 2, "output_ytd": 1}

    joined = nbs.parse(products(**months | {"m202602": ("752.3", "752.3")}), KEY, CATALOG)
    assert joined.observations.filter(series_id="output").height == 2
    assert joined.rejects.rows() == [
        ("output", "b1 at 202602MM", "February without January: the figure may be that of both months")
    ]


def test_a_february_with_its_january_stays() -> None:
    both = products(m201103=("144", "403.5"), m201102=("128.5", "259.5"), m201101=("131", "131"))
    assert nbs.parse(both, KEY, CATALOG).observations.filter(series_id="output").height == 3


@pytest.mark.parametrize(
    "label",
    [
        "火力发电量当期值 (亿千瓦时)",  # a wrong id answered with another series
        SINCE_LABEL,
        "原铝（电解铝）产量当期值 (吨)",  # another unit
        "",
    ],
)
def test_values_under_another_label_are_left_out_and_named_once(label: str) -> None:
    body = document(
        *(month(f"20260{n}MM", (OUTPUT, label, "9"), (SINCE, SINCE_LABEL, f"{n}00")) for n in range(7, 2, -1)),
    )
    parsed = nbs.parse(body, KEY, CATALOG)
    assert set(parsed.observations["series_id"]) == {"output_ytd"}
    ((series_id, row, reason),) = parsed.rejects.rows()
    assert (series_id, row) == ("output", "esData/products 202603MM")
    assert reason.startswith("5 values are of '")


def test_a_label_matches_whatever_the_width_of_its_brackets_and_blanks() -> None:
    for label in ("原铝(电解铝)产量当期值(万吨)", " 原铝（电解铝）产量_当期值　（万吨） "):
        body = document(month("202603MM", (OUTPUT, label, "385.5")))
        assert nbs.parse(body, KEY, CATALOG).observations["value"].to_list() == [385.5]


def test_figures_of_a_province_are_left_out() -> None:
    row = month("202603MM", (PPI, PPI_LABEL, "100.5"))
    row["values"][0]["da"] = "110000000000"
    parsed = nbs.parse(document(row, month("202604MM", (PPI, PPI_LABEL, "101"))), "esData/prices", CATALOG)
    assert parsed.observations["period"].to_list() == [date(2026, 4, 1)]
    assert "region 110000000000" in parsed.rejects["reason"][0]
    for key in ("area", "areaCode"):  # the site flips the names of the keys
        row["values"][0].pop("da", None)
        row["values"][0][key] = "0" * 12
    assert nbs.parse(document(row), "esData/prices", CATALOG).observations["value"].to_list() == [0.5]


def test_an_indicator_that_was_not_asked_for_and_one_that_is_absent_are_each_one_reject() -> None:
    body = document(*(month(f"20260{n}MM", (OUTPUT, OUTPUT_LABEL, "9"), ("z9", "生铁产量", "8")) for n in (5, 4)))
    parsed = nbs.parse(body, KEY, CATALOG)
    assert parsed.rejects.rows() == [
        (None, "esData/products z9", "was not asked for: '生铁产量'"),
        ("output_ytd", KEY, "b2 is not in the response"),
    ]


def test_codes_that_are_no_months_and_months_that_come_twice_are_rejected() -> None:
    codes = ("202602SS", "2025YY", "202613MM", "202603MM", "202603MM", "202604MM")
    body = document(*(month(code, (PPI, PPI_LABEL, "101")) for code in codes))
    parsed = nbs.parse(body, "esData/prices", CATALOG)
    assert parsed.observations["period"].to_list() == [date(2026, 4, 1)]
    assert parsed.rejects["reason"].to_list() == [
        *(f"not a period of this series: '{code}'" for code in codes[:3]),
        *["period 202603MM is in the payload more than once"] * 2,
    ]


def test_a_number_of_more_digits_than_can_be_counted_is_rejected() -> None:
    parsed = nbs.parse(ppi(m202604="9" * 1_000_000, m202603="100.5"), "esData/prices", CATALOG)
    assert parsed.observations["value"].to_list() == [0.5]
    assert parsed.rejects["row"].to_list() == ["a1 at 202604MM"]


GOOD = ppi(m202603="100.5")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!DOCTYPE html><html><body>Please enable JavaScript</body></html>", "not JSON"),
        (GOOD[:-9], "not JSON"),
        (b"[]", "no success"),
        (document(success=False, message="系统异常"), "no success: 系统异常"),
        (document(success="true"), "no success"),
        (document(), "success without months"),
        (b'{"success": true, "state": 20000}', "success without months"),
        (document(data=None), "success without months"),
        (document(data=[1]), "success without months"),
        (document(month("202603MM") | {"values": "x"}), "has no list of values"),
        (document(month("202603MM") | {"values": [1]}), "has no list of values"),
        (document(month("202603MM")), "no figure of the indicators asked for"),
        (document(month("202603MM", ("z9", PPI_LABEL, "100.5"))), "no figure of the indicators asked for"),
    ],
)
def test_an_answer_that_is_not_the_table_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        nbs.parse(body, "esData/prices", CATALOG)


def test_a_key_of_no_table_is_refused() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        nbs.parse(GOOD, "esData/other", CATALOG)


@pytest.mark.parametrize(
    ("today", "last"), [(date(2026, 11, 29), "202610"), (date(2027, 1, 3), "202612"), (date(2026, 2, 28), "202601")]
)
def test_each_table_is_one_request_for_its_whole_history_of_months_that_have_ended(today: date, last: str) -> None:
    requests = nbs.plan(CATALOG, today)
    assert [request.key for request in requests] == ["esData/prices", "esData/products"]
    assert requests[1].headers == {"Content-Type": "application/json;charset=UTF-8"}
    assert requests[1].body is not None
    assert json.loads(requests[1].body) == {
        "cid": "products",
        "indicatorIds": [OUTPUT, SINCE],
        "daCatalogId": "",
        "das": [{"text": "全国", "value": "000000000000"}],
        "showType": "1",
        "dts": [f"199001MM-{last}MM"],
        "rootId": "fc982599aa684be7969d7b90b1bd0e84",
    }
