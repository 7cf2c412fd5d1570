"""China customs' English pages in the shape documented by those who read them, not recorded; the figures are made up.

As on the site, the index of this year bears no year in its address, hrefs come with and without quotes, brackets are
half or full width, and the tables of January and February come together. `documented_index` and
`documented_page` are used by the unit tests.
"""

from __future__ import annotations

import math
import re
import uuid
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

HOST = "english.customs.gov.cn"
NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
LAG_DAYS = 20
FIRST_YEAR = 2024
Answer = tuple[int, str, bytes]

TABLES = {"export": 13, "import": 14}
NAMES = ("Jan.", "Feb.", "Mar.", "Apr.", "May.", "Jun.", "Jul.", "Aug.", "Sep.", "Oct.", "Nov.", "Dec.")
# name, unit, a month's quantity, thousand US dollars for one of the unit
GOODS = {
    "export": [("Unwrought aluminium and aluminium products", "10000T", 52.0, 30_000), ("Toys", "-", 0.0, 4_000_000)],
    "import": [
        ("Copper ores and concentrates", "10000T", 240.0, 24_000),
        ("Unwrought copper and copper products", "10000T", 46.0, 95_000),
    ],
}

Row = tuple[str, str, str, str, str, str]


def documented_page(flow: str, of: str, rows: list[Row], unit: str = "Unit: US$1,000") -> bytes:
    """A page of one table; a row is name, unit, quantity and value of the month, then of the months since January."""
    title = f"（{TABLES[flow]}）Major {flow.title()} Commodities in Quantity and Value,{of}"
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in (*row, "1.0", "2.0")) + "</tr>\n" for row in rows)
    heading = "<tr><td rowspan=2>Commodity</td><td rowspan=2>Unit</td><td colspan=2>Month</td>"
    heading += "<td colspan=2>Since January</td><td colspan=2>Increase (%)</td></tr>\n<tr>"
    heading += "<td>Quantity</td><td>Value</td>" * 3 + "</tr>\n"
    head = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1>"
    return f"{head}<table>\n<tr><td colspan=8>{unit}</td></tr>\n{heading}{lines}</table></body></html>\n".encode()


def documented_index(listed: dict[str, dict[int, str]]) -> bytes:
    """The index of a year: for each direction the addresses of its months' tables."""
    rows = "<tr><td>(1) China's Total Export &amp; Import Values</td><td><a href=/Statics/total.html>Jan.</a></td></tr>"
    for flow, months in listed.items():
        links = "".join(f"<a href={address}>{NAMES[month - 1]}</a>\n" for month, address in sorted(months.items()))
        title = f"（{TABLES[flow]}）Major {flow.title()} Commodities in Quantity  and Value"
        rows += f"<tr>\n<td>{title}</td>\n<td>{links}</td></tr>"
    return f"<!DOCTYPE html>\n<html><body><table>{rows}</table>{' ' * 500}</body></html>\n".encode()


def address(flow: str, year: int, month: int) -> str:
    return f"/Statics/{uuid.uuid5(uuid.NAMESPACE_URL, f'made up {flow} {year} {month}')}.html"


def _is_out(year: int, month: int, today: date) -> bool:
    last = max(month, 2)  # January comes with February
    return date(year, last, monthrange(year, last)[1]) + timedelta(days=LAG_DAYS) <= today


def _table(flow: str, year: int, month: int) -> bytes:
    def quantity(level: float, of: int) -> float:
        return level * (1 + 0.05 * math.sin(year * 12 + of))

    rows: list[Row] = []
    for name, unit, level, price in GOODS[flow]:
        amounts = [quantity(level, of) for of in range(1, month + 1)]
        values = [(amount or 1) * price for amount in amounts]
        quantities = [f"{amount:,.1f}" if level else "-" for amount in (amounts[-1], sum(amounts))]
        rows.append((name, unit, quantities[0], f"{values[-1]:,.0f}", quantities[1], f"{sum(values):,.0f}"))
    return documented_page(flow, f"{month}.{year}", rows)


def _answer(query: dict[str, list[str]], body: bytes, clock: date | None, path: str) -> Answer | None:
    today = clock or NEWEST
    listing = re.fullmatch(r"/statics/report/monthly(\d{4})?\.html", path)
    if listing:
        year = int(listing[1] or today.year)
        out = [month for month in range(1, 13) if _is_out(year, month, today)]
        if listing[1] is None and not out:  # until the first tables of a year, the index is last year's
            year, out = year - 1, [month for month in range(1, 13) if _is_out(year - 1, month, today)]
        return (
            200,
            "text/html; charset=utf-8",
            documented_index({f: {m: address(f, year, m) for m in out} for f in TABLES}),
        )
    for year in range(FIRST_YEAR, today.year + 1):
        for flow in TABLES:
            for month in (m for m in range(1, 13) if _is_out(year, m, today)):
                if path == address(flow, year, month):
                    return 200, "text/html; charset=utf-8", _table(flow, year, month)
    return None


def routes() -> list[tuple[str, str, Callable[..., Answer | None]]]:
    return [(HOST, r"^/.*$", _answer)]
