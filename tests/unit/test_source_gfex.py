"""The Guangzhou module on answers in the documented shape (not recorded), and on those that are none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, gfex
from tests.replay_routes.gfex import answer_with, grand_total, line, subtotal


def series(product: str) -> Series:
    return Series(
        id=product.lower(),
        source="gfex",
        title=product,
        publisher="an exchange",
        select={"product": product},
        unit="cny_per_tonne",
        frequency=Frequency.DAILY,
        plausible=(1, 10000000),
        publication_lag_days=0,
        staleness_limit_days=15,
        licence="personal use",
        history=History.STABLE,
        description=product,
    )


CATALOG = Catalog([], [series("LC"), series("PT")], [], [])
DAY = date(2026, 11, 20)
KEY = "dayquotes/20261120"
LITHIUM = [line("lc", "2612", 120000, 100), line("lc", "2701", "119500.0", "300"), subtotal("lc", 400)]
PLATINUM = [line("pt", "2612", 480.55, 30), line("pt", "2702", 481, 20), subtotal("pt", 50)]


def test_the_month_with_the_largest_open_interest_speaks_for_the_product() -> None:
    parsed = gfex.parse(answer_with([*LITHIUM, *PLATINUM, grand_total(450)]), KEY, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("series_id").rows() == [
        ("lc", DAY, 119500.0, 1, "dayquotes/20261120 LC"),
        ("pt", DAY, 480.55, 2, "dayquotes/20261120 PT"),
    ]
    assert parsed.rejects.is_empty()


def test_a_day_without_trading_has_no_rows_and_is_no_fault() -> None:
    parsed = gfex.parse(answer_with([grand_total(0)]), KEY, CATALOG)
    assert parsed.observations.is_empty()
    assert parsed.rejects.is_empty()
    assert not parsed.missing


@pytest.mark.parametrize("said", ["20261120", ["20261120"]])
def test_the_answer_repeats_the_day_that_was_asked_for(said: Any) -> None:
    parsed = gfex.parse(answer_with([*LITHIUM, *PLATINUM], param={"trade_date": said}), KEY, CATALOG)
    assert parsed.observations["period"].to_list() == [DAY, DAY]


@pytest.mark.parametrize("lines", [[*LITHIUM, *PLATINUM], [grand_total(0)]])
def test_the_answer_for_another_day_is_refused(lines: list[dict[str, Any]]) -> None:
    with pytest.raises(BadPayload, match="the answer for trade_date"):
        gfex.parse(answer_with(lines, param={"trade_date": ["20261119"], "trade_type": ["0"]}), KEY, CATALOG)


def test_an_empty_settlement_is_missing() -> None:
    lines = [line("pt", "2612", "", 30), line("pt", "2702", 481, 20), *LITHIUM]
    parsed = gfex.parse(answer_with(lines), KEY, CATALOG)
    assert dict(parsed.missing) == {"pt": 1}
    assert parsed.observations["series_id"].to_list() == ["lc"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no delivery month of this product"),
        ([line("pt", "2612", 480, 30), subtotal("pt", 50)], "open interest is 30, the subtotal 50"),
        ([line("pt", "2612", 480, "x")], "open interest cannot be read"),
        ([line("pt", "2612", 480, 0)], "no delivery month has open interest"),
        ([line("pt", "2612", "4B0", 30)], "not a number: '4B0'"),
        ([{k: v for k, v in line("pt", "2612", 480, 30).items() if k != "clearPrice"}], "no field clearPrice"),
        (
            [{k: v for k, v in line("pt", "2612", 480, 30).items() if k != "openInterest"}],
            "open interest cannot be read",
        ),
    ],
)
def test_a_product_that_cannot_be_trusted_is_rejected_alone(lines: list[dict[str, Any]], reason: str) -> None:
    parsed = gfex.parse(answer_with([*lines, *LITHIUM]), KEY, CATALOG)
    assert parsed.rejects["series_id"].to_list() == ["pt"]
    assert reason in parsed.rejects["reason"][0]
    assert parsed.observations["series_id"].to_list() == ["lc"]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>", "not JSON"),
        (b"[]", "no success: no message"),
        (answer_with([], code="500", msg="busy"), "no success: busy"),
        (answer_with([]), "success without lines"),
        (b'{"code": "0", "data": null}', "success without lines"),
        (answer_with([grand_total(450)]), "trading, but no delivery month"),
        (answer_with([line("si", "2612", 9000, 5)]), "none of the 2 catalogued products"),
    ],
)
def test_an_answer_that_is_no_list_of_quotations_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        gfex.parse(body, KEY, CATALOG)


@pytest.mark.parametrize("key", ["dayquotes/2026-11-20", "20261120", "dayquotes/"])
def test_a_key_that_is_no_day_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        gfex.parse(answer_with(LITHIUM), key, CATALOG)


def test_each_weekday_is_a_query_by_post_newest_first() -> None:
    requests = gfex.plan(CATALOG, date(2026, 11, 22))
    assert [(r.key, r.closed) for r in requests] == [
        ("dayquotes/20261120", False),
        ("dayquotes/20261119", False),
        ("dayquotes/20261118", True),
        ("dayquotes/20261117", True),
        ("dayquotes/20261116", True),
        ("dayquotes/20261113", True),
    ]
    assert requests[0].body == b"trade_date=20261120&trade_type=0"
    assert {r.url for r in requests} == {"http://www.gfex.com.cn/u/interfacesWebTiDayQuotes/loadList"}
    assert gfex.plan(Catalog([], [], [], []), DAY) == []
