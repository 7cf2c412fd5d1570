"""Westmetall's tables in their documented shape, not recorded; the figures are invented."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

METALS = {  # field: name in the headings, price of the right order of magnitude
    "LME_Cu_cash": ("LME Copper", 14000.0),
    "LME_Al_cash": ("LME Aluminium", 3100.0),
    "LME_Ni_cash": ("LME Nickel", 18000.0),
    "LME_Zn_cash": ("LME Zinc", 3400.0),
    "LME_Pb_cash": ("LME Lead", 2000.0),
    "LME_Sn_cash": ("LME Tin", 50000.0),
}


def page(name: str, rows: list[tuple[str, str, str, str]], headings: tuple[str, ...] | None = None) -> bytes:
    """A page with one table; its headings come again every twenty rows."""
    names = headings or ("date", f"{name} Cash-Settlement", f"{name} 3-month", f"{name} stock")
    head = "<tr>" + "".join(f"<th>{text}</th>" for text in names) + "</tr>"
    lines = []
    for number, row in enumerate(rows):
        if number % 20 == 0:
            lines.append(head)
        lines.append(
            "<tr>" + "".join(f"<td >{text}</td>" for text in row[:-1]) + f'<td class="last">{row[-1]}</td></tr>'
        )
    table = f"<table>{''.join(lines or [head])}</table>"
    menu = "<table><tr><td>Market data</td><td>LME</td></tr></table>"
    return f"<!DOCTYPE html><html><head><title>Westmetall</title></head><body>{menu}{table}</body></html>".encode()


def routes() -> list[Route]:
    def tables(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        today = clock or NEWEST
        name, level = METALS[query["field"][0]]
        year = int(query["year"][0])
        rows = []
        day = min(today - timedelta(days=1), date(year, 12, 31))
        while day >= date(year, 1, 2):
            if day.isoweekday() <= 5:
                price = level * (1 + 0.1 * math.sin(day.toordinal() / 60))
                rows.append((f"{day:%d. %B %Y}", f"{price:,.2f}", f"{price * 1.005:,.2f}", f"{200000 + day.day:,}"))
            day -= timedelta(days=1)
        return 200, "text/html; charset=utf-8", page(name, rows)

    return [("www.westmetall.com", r"^/en/markdaten\.php$", tables)]
