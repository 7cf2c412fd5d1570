"""China's statistics office: its data library as documented by those who read it, one POST per table.

A recorded answer to a table is served from its day. Otherwise producer prices, money and exports are the figures of the
eastmoney reports; industry and purchasing managers are made up but for May 2024, and all output is made up. A month
that is not out yet is answered all the same, without a figure. `document` and `month` are used by the unit tests too.
"""

from __future__ import annotations

import json
import math
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from tests.recordings import Recordings

HOST, PATH = "data.stats.gov.cn", "/dg/website/publicrelease/web/external/stream/esData"
NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
FIRST_YEAR = 2005  # of what is made up
BODY = {"cid", "indicatorIds", "daCatalogId", "das", "showType", "dts", "rootId"}

MONEY, TRADE, INDUSTRY = (
    "82130c6621a745cda3d64b090e733383",
    "7e11b47c828d4e4e925f1c5a98305558",
    "3f2e14f0542348ed9fe02476eca3450b",
)
# table: {indicator: (label, report and field of eastmoney)}
REPORTED = {
    "60e8b361f11c4a878c652a6487a25561": {
        "150633e52b9a470a9a9fd1b296dd6c5b": ("工业生产者出厂价格指数 (上年同月=100)", "RPT_ECONOMY_PPI", "BASE"),
    },
    MONEY: {
        "f3c0ae453a54424489af41de315ec592": ("货币和准货币（M2）期末值 (亿元)", "CURRENCY_SUPPLY", "BASIC_CURRENCY"),
        "e03f2232631f41cd9d754a7d7feb4a81": (
            "货币和准货币（M2）同比增长 (%)",
            "CURRENCY_SUPPLY",
            "BASIC_CURRENCY_SAME",
        ),
        "add08d4a1ca049158166f126e169edde": ("货币（M1）期末值 (亿元)", "CURRENCY_SUPPLY", "CURRENCY"),
        "640401d3351b4b868dea28f89f410a54": ("货币（M1）同比增长 (%)", "CURRENCY_SUPPLY", "CURRENCY_SAME"),
        "bd67997414b147a08d4aa03d146f4486": ("流通中现金（M0）期末值 (亿元)", "CURRENCY_SUPPLY", "FREE_CASH"),
        "db7891fb8f3c4eb2a4d71a9955eba8c7": ("流通中现金（M0）同比增长 (%)", "CURRENCY_SUPPLY", "FREE_CASH_SAME"),
    },
    TRADE: {
        "788f44b0f310403fbd308b77d6f83890": ("出口总值同比增长 (%)", "CUSTOMS", "EXIT_BASE_SAME"),
        # EXIT_BASE of the older recordings lost a factor at their collector.
        "9e38b39f55a7461ea195508c1bb7dbdc": ("出口总值当期值 (千美元)", "", ""),
    },
}
# table: {indicator: (label, the figure of May 2024)}
MADE_UP = {
    INDUSTRY: {
        "ef1b1765960d45a29b4d7c4ca91be916": ("规上工业增加值同比增长 (%) ", 5.6),
        "21e7072e9f384209aedb56e69a18216e": ("规上工业增加值累计增长 (%) ", 6.2),
    },
    "93ffbb1aa85740d3aa2618371508b606": {"a09aa989bdcf4cffa2021795722eb916": ("制造业采购经理指数 (%)", 49.5)},
    "7a64a6e25aec4a8e9dde044ecd9e2cce": {"88a150208f6e4a1db8babe41ae700f66": ("非制造业商务活动指数 (%)", 51.1)},
}
# table: report and field of eastmoney, where that was recorded by the clock
PMI = {
    "93ffbb1aa85740d3aa2618371508b606": ("PMI", "MAKE_INDEX"),
    "7a64a6e25aec4a8e9dde044ecd9e2cce": ("PMI", "NMAKE_INDEX"),
}
# table: name, unit, output of a month in 2024, its growth a year, and the indicators of a month and since January
PRODUCTS = {
    "15465b9b175846818afa78afc202970a": ("原铝（电解铝）产量", "万吨", 365.0, 0.03, "285020b0", "05b0391f"),
    "8bd0f152afbf436e8ac37e49569f5584": ("氧化铝产量", "万吨", 715.0, 0.04, "807b33f5", "1659443f"),
    "dc1cd4ef14484af4a771c570075397a3": ("精炼铜（电解铜）产量", "万吨", 113.0, 0.06, "d7d687a7", "78300c4e"),
    "2315d2792e91403a8f74d132e61c68a9": ("十种有色金属产量", "万吨", 660.0, 0.03, "1a169665", "91122c84"),
    "976552bf20304e9c9e39770e1cdbafba": ("锂离子电池产量", "万只", 240000.0, 0.2, "dacfd9c3", "d0c3dea8"),
    "1abb1cfea75847b8bf1a0e395d85966b": ("发电量", "亿千瓦时", 7900.0, 0.05, "baafe3a9", "a4c1c4e3"),
    "ac260d2df49c46d095878c48ca7f87c6": ("火力发电量", "亿千瓦时", 5200.0, 0.02, "4723cfb7", "469c7c0d"),
}
LAG_DAYS = {INDUSTRY: 18, **dict.fromkeys(PRODUCTS, 18)}  # all others: with the eastmoney report, or two days

Figures = dict[str, str]  # by month, as "202608"


def month(code: str, *values: tuple[str, str, Any], **changed: Any) -> dict[str, Any]:
    """One row of an answer; `values` are (indicator, label, figure as printed)."""
    return {
        "code": code,
        "name": f"{code[:4]}年{code[4:6]}月",
        "values": [
            {"_id": i, "i_showname": label, "value": value, "du_name": "", "da": "0" * 12, "da_name": "全国"}
            for i, label, value in values
        ],
    } | changed


def document(*months: dict[str, Any], **changed: Any) -> bytes:
    answer = {"success": True, "state": 20000, "message": "成功", "data": list(months)} | changed
    return json.dumps(answer, ensure_ascii=False).encode()


def _answer(
    query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings
) -> tuple[int, str, bytes]:
    asked = json.loads(body)
    if asked.keys() != BODY or asked["das"][0]["value"] != "0" * 12:
        return 500, "application/json", b'{"success":false,"state":50000,"message":"null"}'
    first, last = (code.removesuffix("MM") for code in asked["dts"][0].split("-"))
    recorded = [
        recording
        for recording in upstream.every
        if recording.key == f"esData/{asked['cid']}" and (clock is None or (recording.known or date.max) <= clock)
    ]
    if recorded:
        newest = max(recorded, key=lambda recording: recording.known or date.min)
        rows = [
            row | {"values": [value for value in row.get("values") or [] if value["_id"] in asked["indicatorIds"]]}
            for row in json.loads(newest.path.read_text(encoding="utf-8"))["data"]
            if first <= row["code"][:6] <= last
        ]
        return 200, "application/json;charset=UTF-8", document(*rows)
    found = {
        name: (label, figures)
        for name, label, figures in _figures(asked["cid"], clock or NEWEST, upstream)
        if any(known.startswith(name) for known in asked["indicatorIds"])
    }
    full = {name: next(i for i in asked["indicatorIds"] if i.startswith(name)) for name in found}
    begin = min((code for _, figures in found.values() for code in figures), default=last)
    rows = [
        month(f"{code}MM", *((full[name], label, figures.get(code, "")) for name, (label, figures) in found.items()))
        for code in _months(max(begin, first), last)
    ]
    # A table without what is asked for is a success with nothing in it.
    return 200, "application/json;charset=UTF-8", document(*reversed(rows)) if found else document()


def _months(first: str, last: str) -> Iterator[str]:
    count, end = (int(code[:4]) * 12 + int(code[4:]) - 1 for code in (first, last))
    while count <= end:
        yield f"{count // 12}{count % 12 + 1:02}"
        count += 1


def _figures(table: str, clock: date, upstream: Recordings) -> Iterator[tuple[str, str, Figures]]:
    """(beginning of the indicator, label, figures) of everything in a table that is out by the clock."""
    for indicator, (label, report, field) in REPORTED.get(table, {}).items():
        yield indicator, label, _reported(upstream, report, field, clock)
    if table in MADE_UP:
        for number, (indicator, (label, level)) in enumerate(MADE_UP[table].items()):
            figures = {code: f"{level + math.sin(int(code)) / 2:.1f}" for code in _out(table, clock)}
            if table == INDUSTRY:
                figures = {code: f for code, f in figures.items() if code[4:] != "01" and (number or code[4:] != "02")}
            reported = _reported(upstream, *PMI[table], clock) if table in PMI else {}
            yield indicator, label, reported or figures | {"202405": str(level)}
    if table in PRODUCTS:
        name, unit, level, growth, alone, since = PRODUCTS[table]
        output = {
            code: round(level * (1 + growth) ** (int(code[:4]) - 2024) * (1 + math.sin(int(code)) / 50), 1)
            for code in _out(table, clock)
        }
        sums = {code: sum(output[f"{code[:4]}{n:02}"] for n in range(1, int(code[4:]) + 1)) for code in output}
        yield alone, f"{name}当期值 ({unit})", {c: f"{f:.1f}" for c, f in output.items() if c[4:] > "02"}
        yield since, f"{name}累计值 ({unit})", {c: f"{f:.1f}" for c, f in sums.items() if c[4:] > "01"}


def _out(table: str, clock: date) -> list[str]:
    """Months published by the clock; January's figures come with February's."""
    lag, months = timedelta(days=LAG_DAYS.get(table, 2)), []
    for code in _months(f"{FIRST_YEAR}01", f"{clock:%Y%m}"):
        year, number = int(code[:4]), int(code[4:])
        if date(year, number, monthrange(year, number)[1]) + lag <= clock:
            months.append(code)
    return months


def _reported(upstream: Recordings, report: str, field: str, clock: date) -> Figures:
    name = report if report.startswith("RPT") else f"RPT_ECONOMY_{report}"
    recorded = upstream.newest(rf"eastmoney/[^/]+/{name}\.json", clock) if field else None
    rows = json.loads(recorded.read_text(encoding="utf-8"))["result"]["data"] if recorded else []
    return {row["REPORT_DATE"][:7].replace("-", ""): f"{row[field]}" for row in rows if row.get(field) is not None}


def routes() -> list[tuple[str, str, Callable[..., tuple[int, str, bytes]]]]:
    return [(HOST, PATH, _answer)]
