"""Guangzhou's daily quotations in their documented shape, not recorded; the figures are invented."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

PRODUCTS = {  # varietyOrder: name, price of the right order of magnitude
    "lc": ("碳酸锂", 120000),
    "si": ("工业硅", 9000),
    "ps": ("多晶硅", 36200),
    "pt": ("铂", 480.5),
    "pd": ("钯", 400.25),
}


def line(product: str, month: str, settlement: Any, interest: Any, name: str = "") -> dict[str, Any]:
    """One line of the answer; "volumn" is the exchange's own spelling."""
    return {
        "variety": name or PRODUCTS[product][0],
        "varietyOrder": product,
        "delivMonth": month,
        "open": "",
        "high": "",
        "low": "",
        "close": "",
        "lastClear": settlement,
        "clearPrice": settlement,
        "volumn": interest,
        "openInterest": interest,
        "turnover": "0.00",
    }


def subtotal(product: str, interest: Any) -> dict[str, Any]:
    return line(product, "", "", interest, f"{PRODUCTS[product][0]}小计")


def grand_total(interest: Any) -> dict[str, Any]:
    return line("", "", "", interest, "总计")


def answer_with(lines: list[dict[str, Any]], code: str = "0", msg: str = "", **more: Any) -> bytes:
    return json.dumps({"code": code, "msg": msg, **more, "data": lines}, ensure_ascii=False).encode()


def routes() -> list[Route]:
    def quotes(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        today = clock or NEWEST
        asked = parse_qs(body.decode())
        day = datetime.strptime(asked["trade_date"][0], "%Y%m%d").date()  # noqa: DTZ007
        lines: list[dict[str, Any]] = []
        if day <= today and day.isoweekday() <= 5 and asked.get("trade_type") == ["0"]:
            for product, (_, price) in PRODUCTS.items():
                lines += [
                    line(product, f"{day:%y}12", price, 200),
                    line(product, f"{day.year - 1999:02}02", price + 1, 300),
                    subtotal(product, 500),
                ]
        lines.append(grand_total(500 * len(PRODUCTS) if lines else 0))
        return 200, "application/json;charset=UTF-8", answer_with(lines, param=asked)

    return [("www.gfex.com.cn", r"^/u/interfacesWebTiDayQuotes/loadList$", quotes)]
