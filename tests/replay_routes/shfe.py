"""The Shanghai Futures Exchange's daily file (recorded shape of one line, 2026) and weekly page (documented shape).

The figures are invented. The day stands in the path, so these answers need it: `answer(query, body, clock, path)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None, str], Answer]]

PRODUCTS = {  # PRODUCTID: name, name in the weekly page, price of the right order of magnitude
    "cu_f": ("铜", 110780),
    "al_f": ("铝", 25000),
    "zn_f": ("锌", 27000),
    "pb_f": ("铅", 17500),
    "ni_f": ("镍", 140000),
    "sn_f": ("锡", 390000),
    "au_f": ("黄金", 950.5),
    "ag_f": ("白银", 15600),
}
BASE_METALS = ("铜", "铝", "锌", "铅", "镍", "锡")
NOT_FOUND: Answer = (404, "text/html", b"<html><head><title>404 Not Found</title></head><body>404</body></html>")


def line(product: str, month: str, settlement: Any, interest: Any, **more: Any) -> dict[str, Any]:
    """One line of the daily file: texts padded with blanks, an empty text for a missing figure."""
    name = PRODUCTS[product][0]
    return {
        "PRODUCTID": f"{product:<8}",
        "PRODUCTGROUPID": f"{product.removesuffix('_f'):<8}",
        "PRODUCTNAME": f"{name:<20}",
        "DELIVERYMONTH": month,
        "PRESETTLEMENTPRICE": settlement,
        "OPENPRICE": "",
        "HIGHESTPRICE": "",
        "LOWESTPRICE": "",
        "CLOSEPRICE": "",
        "SETTLEMENTPRICE": settlement,
        "VOLUME": 1000,
        "OPENINTEREST": interest,
        "OPENINTERESTCHG": 0,
        "TURNOVER": "",
        **more,
    }


def daily(day: date, lines: list[dict[str, Any]]) -> bytes:
    document = {"report_date": f"{day:%Y%m%d}", "o_day": str(day.day), "o_curinstrument": lines, "o_code": "0000"}
    return json.dumps(document, ensure_ascii=False).encode()


def weekly_table(name: str, unit: str, last: str, this: str, change: str) -> str:
    """One product's table: two lines of headings, the line of the product, a warehouse, the total."""
    spans = "".join(f'<th colspan="2">{text}</th>' for text in ("上周库存", "本周库存", "库存增减"))
    subs = "".join(f"<th>{text}</th>" for text in ("小计", "期货") * 3 + ("上周", "本周", "增减"))
    figures = "".join(f"<td>{text}</td>" for text in (last, "5", this, "6", change, "1", "900,000", "900,001", "1"))
    return (
        f'<table><thead><tr><th rowspan="2">地区</th><th rowspan="2">仓库</th>{spans}'
        '<th colspan="3">可用库容量</th></tr>'
        f"<tr>{subs}</tr></thead><tbody>"
        f'<tr><td colspan="5">{name}</td><td colspan="6">单位：{unit}</td></tr>'
        f"<tr><td>江苏</td><td>中储无锡</td>{figures}</tr>"
        f'<tr><td colspan="2">总计</td>{figures}</tr></tbody></table>'
    )


def weekly(day: date, tables: str) -> bytes:
    head = f"<table><tr><td>{day.isoformat()} 第1期 总第1期</td></tr></table>"
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{head}{tables}</body></html>'.encode()


def routes() -> list[Route]:
    def day_of(path: str, clock: date | None) -> date | None:
        found = re.search(r"(\d{8})", path)
        day = datetime.strptime(found.group(1), "%Y%m%d").date() if found else None  # noqa: DTZ007
        return day if day and day <= (clock or NEWEST) and day.isoweekday() <= 5 else None

    def quotes(query: dict[str, list[str]], body: bytes, clock: date | None, path: str = "") -> Answer:
        day = day_of(path, clock)
        if day is None:
            return NOT_FOUND
        lines: list[dict[str, Any]] = []
        for product, (_, price) in PRODUCTS.items():
            later = [line(product, f"{day:%y}12", price, 200), line(product, f"{day.year - 1999:02}02", price + 1, 300)]
            lines += [*later, line(product, "小计", "", 500)]
        lines.append({"PRODUCTID": "总计", "DELIVERYMONTH": "", "OPENINTEREST": 500 * len(PRODUCTS)})
        return 200, "application/octet-stream", daily(day, lines)

    def stocks(query: dict[str, list[str]], body: bytes, clock: date | None, path: str = "") -> Answer:
        day = day_of(path, clock)
        if day is None or day.isoweekday() != 5:
            return NOT_FOUND
        tables = "".join(weekly_table(name, "吨", "120,000", "118,500", "-1,500") for name in BASE_METALS)
        return 200, "text/html", weekly(day, tables)

    return [
        ("www.shfe.com.cn", r"^/data/tradedata/future/dailydata/kx\d{8}\.dat$", quotes),
        ("www.shfe.cn", r"^/data/tradedata/future/stockdata/weeklystock_\d{8}/ZH/all\.html$", stocks),
    ]
