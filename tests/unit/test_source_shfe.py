"""The Shanghai module on daily files in the recorded shape of a line and weekly pages in the documented one."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, shfe
from tests.replay_routes.shfe import daily, line, weekly, weekly_table


def series(series_id: str, **select: str) -> Series:
    return Series(
        id=series_id,
        source="shfe",
        title=series_id,
        publisher="an exchange",
        select=dict(select),
        unit="cny_per_tonne",
        frequency=Frequency.DAILY,
        plausible=(0, 10000000),
        publication_lag_days=0,
        staleness_limit_days=15,
        licence="personal use",
        history=History.STABLE,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("cu", report="kx", product="cu_f"),
        series("au", report="kx", product="au_f"),
        series("sn_stock", report="weeklystock", product="锡", unit="吨"),
        series("cu_stock", report="weeklystock", product="铜", unit="吨"),
    ],
    [],
    [],
)
DAY = date(2026, 11, 20)
QUOTES, STOCKS = "kx/20261120", "weeklystock/20261120"
COPPER = [
    line("cu_f", "2612", 110000, 100),
    line("cu_f", "2701", 110780, 300),
    line("cu_f", "2702", 111000, 200),
    line("cu_f", "2710", "", ""),  # listed and not traded
    line("cu_f", "efp", 109000, ""),
    line("cu_f", "小计", "", 600),
]
GOLD = [line("au_f", "2612", 950.5, 10), line("au_f", "2702", 951.25, 20), line("au_f", "小计", "", 30)]
TOTAL = {"PRODUCTID": "总计", "DELIVERYMONTH": "合计", "OPENINTEREST": 630}


def test_the_month_with_the_largest_open_interest_speaks_for_the_product() -> None:
    parsed = shfe.parse(daily(DAY, [*COPPER, *GOLD, TOTAL]), QUOTES, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("series_id").rows() == [
        ("au", DAY, 951.25, 2, "kx/20261120 au_f"),
        ("cu", DAY, 110780.0, 0, "kx/20261120 cu_f"),
    ]
    assert parsed.rejects.is_empty()
    assert not parsed.missing


def test_the_file_of_a_running_day_has_no_settlement_yet_and_is_no_fault() -> None:
    running = [{**cells, "SETTLEMENTPRICE": ""} for cells in (*COPPER, *GOLD)]
    parsed = shfe.parse(daily(DAY, running), QUOTES, CATALOG)
    assert parsed.observations.is_empty()
    assert parsed.rejects.is_empty()
    assert parsed.missing == {"cu": 1, "au": 1}


@pytest.mark.parametrize("nothing", ["", "   ", 0, None])
def test_an_empty_settlement_is_missing_and_no_other_month_stands_in(nothing: Any) -> None:
    lines = [line("cu_f", "2701", nothing, 300), line("cu_f", "2702", 111000, 200), *GOLD]
    if nothing is None:
        del lines[0]["SETTLEMENTPRICE"]
        parsed = shfe.parse(daily(DAY, lines), QUOTES, CATALOG)
        assert parsed.rejects.rows() == [("cu", "kx/20261120 cu_f", "no field SETTLEMENTPRICE")]
    else:
        parsed = shfe.parse(daily(DAY, lines), QUOTES, CATALOG)
        assert dict(parsed.missing) == {"cu": 1}
    assert parsed.observations["series_id"].to_list() == ["au"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no delivery month of this product"),
        ([line("cu_f", "小计", "", 600)], "no delivery month of this product"),
        ([line("cu_f", "2701", 110780, 300), line("cu_f", "小计", "", 600)], "open interest is 300, the subtotal 600"),
        ([line("cu_f", "2701", 110780, "n/a")], "open interest cannot be read"),
        ([line("cu_f", "2701", 110780, 0)], "no delivery month has open interest"),
        ([line("cu_f", "2701", "11o780", 10)], "not a number: '11o780'"),
    ],
)
def test_a_product_that_cannot_be_trusted_is_rejected_alone(lines: list[dict[str, Any]], reason: str) -> None:
    parsed = shfe.parse(daily(DAY, [*lines, *GOLD]), QUOTES, CATALOG)
    assert parsed.rejects["series_id"].to_list() == ["cu"]
    assert reason in parsed.rejects["reason"][0]
    assert parsed.observations["series_id"].to_list() == ["au"]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>404</html>", "not JSON"),
        (b'{"o_curinstrument": []}', "no list of instruments"),
        (b'{"o_curinstrument": ["cu"]}', "no list of instruments"),
        (daily(DAY - timedelta(days=1), COPPER), "report_date is 20261119: another day's file"),
        (json.dumps({"o_day": "19", "o_curinstrument": COPPER}).encode(), "o_day is 19: another day's file"),
        (daily(DAY, [TOTAL]), "none of the 2 catalogued products"),
    ],
)
def test_a_daily_file_of_another_day_or_shape_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        shfe.parse(body, QUOTES, CATALOG)


def test_the_weekly_total_is_found_by_its_headings_and_capacity_is_not_taken_for_stock() -> None:
    tables = weekly_table("铜", "吨", "101,000.5", "100,000.5", "-1,000") + weekly_table(
        "锡", "吨", "7000", "7059", "59"
    )
    parsed = shfe.parse(weekly(DAY, tables), STOCKS, CATALOG)

    assert parsed.observations.sort("series_id").select("series_id", "period", "value", "decimals").rows() == [
        ("cu_stock", DAY, 100000.5, 1),
        ("sn_stock", DAY, 7059.0, 0),
    ]
    assert parsed.rejects.is_empty()


def test_headings_in_another_order_are_followed() -> None:
    """Documented shape with the columns swapped, as they have drifted."""
    heads = "".join(f"<th>{text}</th>" for text in ("地区", "仓库", "可用库容量", "本周库存", "上周库存", "库存增减"))
    table = (
        f'<table><tr>{heads}</tr><tr><td colspan="3">锡</td><td colspan="3">单位：吨</td></tr>'
        "<tr><td>总计<td><td>900,000<td>7,059<td>7,000<td>59</table>"  # end tags may be missing
    )
    parsed = shfe.parse(weekly(DAY, table), STOCKS, CATALOG)
    assert parsed.observations.select("series_id", "value").rows() == [("sn_stock", 7059.0)]
    assert parsed.rejects.rows() == [("cu_stock", "weeklystock/20261120 铜", "0 tables of 铜")]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (weekly_table("铜", "吨", "7000", "7059", ""), "cannot be checked against the week before: 上周库存 '7000'"),
        (weekly_table("铜", "千克", "7000", "7059", "59"), "is in 千克, not in 吨"),
        (weekly_table("铜", "吨", "7000", "7060", "59"), "7000 last week and a change of 59 do not lead to 7060"),
        (weekly_table("铜", "吨", "7000", "7o59", "59"), "not a number: '7o59'"),
        (weekly_table("铜", "吨", "7000", "7059", "59").replace("总计", "合计"), "0 rows 总计"),
        (weekly_table("铜", "吨", "7000", "7059", "59").replace("本周库存", "本期库存"), "no heading 本周库存"),
        (weekly_table("铜", "吨", "7000", "7059", "59").replace("小计", "完税"), "0 columns 上周库存 小计"),
        (weekly_table("铜", "吨", "7000", "7059", "59") * 2, "2 tables of 铜"),
        (
            weekly_table("铜", "吨", "7000", "7059", "59").replace("<td>7000</td>", ""),
            "10 cells 总计 under 11",
        ),
    ],
)
def test_a_table_that_cannot_be_trusted_is_rejected_alone(table: str, reason: str) -> None:
    parsed = shfe.parse(weekly(DAY, table + weekly_table("锡", "吨", "10", "12", "2")), STOCKS, CATALOG)
    (said,) = parsed.rejects["reason"]
    assert said.startswith(reason)
    assert parsed.observations["value"].to_list() == [12.0]


def test_a_marker_in_place_of_the_stock_is_missing() -> None:
    tables = weekly_table("铜", "吨", "--", "--", "--") + weekly_table("锡", "吨", "10", "12", "2")
    parsed = shfe.parse(weekly(DAY, tables), STOCKS, CATALOG)
    assert dict(parsed.missing) == {"cu_stock": 1}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (weekly(DAY - timedelta(days=7), weekly_table("铜", "吨", "1", "2", "1")), "dated 2026-11-13, not 2026-11-20"),
        (b"<html><body>gone</body></html>", "dated nothing"),
        (weekly(DAY, ""), "none of the 2 catalogued products"),
    ],
)
def test_a_weekly_page_of_another_day_or_shape_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        shfe.parse(body, STOCKS, CATALOG)


@pytest.mark.parametrize("key", ["kx/2026-11-20", "kx", "dailystock/20261120"])
def test_a_key_that_no_series_reads_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        shfe.parse(b"{}", key, CATALOG)


def test_the_weekdays_of_ten_days_are_asked_newest_first_and_older_ones_are_closed() -> None:
    requests = shfe.plan(CATALOG, date(2026, 11, 22))  # a Sunday
    assert [(r.key, r.closed) for r in requests if r.key.startswith("kx/")] == [
        ("kx/20261120", False),
        ("kx/20261119", False),
        ("kx/20261118", True),
        ("kx/20261117", True),
        ("kx/20261116", True),
        ("kx/20261113", True),
    ]
    assert requests[0].url == "https://www.shfe.com.cn/data/tradedata/future/dailydata/kx20261120.dat"
    assert requests[6].url == "https://www.shfe.cn/data/tradedata/future/stockdata/weeklystock_20261120/ZH/all.html"
