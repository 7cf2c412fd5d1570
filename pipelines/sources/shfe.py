"""Shanghai Futures Exchange: daily quotations (JSON, one file a day) and the weekly stock report (HTML).

Licensed for personal use only (see the source's terms). The price of a product is that of its delivery month with the
largest open interest; the month is not stored, so a change of month causes a jump that is not a return.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _html, _json

SOURCE = "shfe"
QUOTES, STOCKS = "kx", "weeklystock"  # the exchange's names of the two reports; keys are "kx/20261120"
QUOTES_URL = "https://www.shfe.com.cn/data/tradedata/future/dailydata/kx{day}.dat"
STOCKS_URL = "https://www.shfe.cn/data/tradedata/future/stockdata/weeklystock_{day}/ZH/all.html"
WINDOW_DAYS = 10
CLOSED_AFTER_DAYS = 3

# Delivery months are four digits; everything else in that field is a subtotal (小计), a total (合计) or an EFP line.
DELIVERY_MONTH = re.compile(r"\d{4}")
SUBTOTAL = "小计"
GRAND_TOTAL, THIS_WEEK, LAST_WEEK, CHANGE = "总计", "本周库存", "上周库存", "库存增减"
UNIT = re.compile(r"单位\s*[:：]\s*(\S+)")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

QUOTES_FILE = Expect(
    starts_with=(b"{",),
    contains=(b"o_curinstrument",),
)
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
STOCKS_PAGE = Expect(starts_with=(b"<",))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """Both reports of the weekdays of the last ten days, newest first.

    Stocks are published on the last trading day of a week, which is another day than Friday around holidays, so every
    weekday is requested. Newest first: otherwise, an earlier day in a later payload would be dated as published late.
    """
    reports = {str(series.select["report"]) for series in catalog.series_of(SOURCE)}
    days = [today - timedelta(days=age) for age in range(WINDOW_DAYS)]
    return [
        _request(report, day, today)
        for report in (QUOTES, STOCKS)
        if report in reports
        for day in days
        if day.isoweekday() <= 5
    ]


def _request(report: str, day: date, today: date) -> Request:
    """A request for which 404 is valid: a day without trading, or a weekday without a stock report."""
    url, expect = (QUOTES_URL, QUOTES_FILE) if report == QUOTES else (STOCKS_URL, STOCKS_PAGE)
    return Request(
        key=f"{report}/{day:%Y%m%d}",
        url=url.format(day=f"{day:%Y%m%d}"),
        expect=expect,
        closed=(today - day).days > CLOSED_AFTER_DAYS,
        absent_ok=True,
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Settlement prices (CNY, value-added tax included where the exchange quotes so) or stocks of one day.

    `kx/...`: the settlement price of the delivery month with the largest open interest, in the product's own unit
    (CNY per tonne, gold per gram, silver per kilogram). An empty field and a 0 are missing values. A product whose
    delivery months do not add up to the exchange's own subtotal is rejected: a line is missing or misread.

    `weeklystock/...`: the total of the product's table for this week, found by its headings (their order varies, and
    the last columns are warehouse capacity, not stock). It is rejected if last week's total plus the change differs
    from it, or if the table is in another unit.

    Raises BadPayload if the body is another day's report or has an unexpected format.
    """
    report, _, stamp = key.partition("/")
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["report"] == report]
    try:
        day = datetime.strptime(stamp, "%Y%m%d").date()  # noqa: DTZ007 - a date without a time of day
    except ValueError:
        wanted = []
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    return _quotes(body, key, day, wanted) if report == QUOTES else _stocks(body, key, day, wanted)


def _quotes(body: bytes, key: str, day: date, wanted: list[Series]) -> Parsed:
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE, todo="try again later") from None
    lines = document.get("o_curinstrument") if isinstance(document, dict) else None
    if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
        raise BadPayload(f"{key}: no list of instruments", source=SOURCE, todo="try again later")
    # Some versions of the file contain their date, which must then be this one.
    for name, expected in (("report_date", f"{day:%Y%m%d}"), ("o_day", f"{day.day}")):
        found = str(document.get(name) or "").strip().lstrip("0")
        if found and found != expected:
            raise BadPayload(f"{key}: {name} is {document[name]}: another day's file", source=SOURCE)

    by_product: dict[str, list[dict[str, str]]] = {}
    for line in lines:
        fields = {name: str("" if value is None else value).strip() for name, value in line.items()}
        by_product.setdefault(fields.get("PRODUCTID", ""), []).append(fields)
    cells, rejects = [], []
    for series in wanted:
        product = str(series.select["product"])
        settlement, problem = _settlement(by_product.get(product, []))
        if problem:
            rejects.append(_cells.rejected(series.id, f"{key} {product}", problem))
        else:
            cells.append((series.id, day, settlement, f"{key} {product}"))
    if not cells:
        raise BadPayload(f"{key}: none of the {len(wanted)} catalogued products can be read", source=SOURCE)
    return _read(cells, rejects)


def _settlement(lines: list[dict[str, str]]) -> tuple[str | None, str | None]:
    """Settlement price of the month with the largest open interest (None if missing), or the reason for a reject."""
    months = {line["DELIVERYMONTH"]: line for line in lines if DELIVERY_MONTH.fullmatch(line.get("DELIVERYMONTH", ""))}
    if not months:
        return None, "no delivery month of this product"
    try:
        # Months that are listed but not traded yet have an empty field.
        interest = {month: float(line["OPENINTEREST"] or 0) for month, line in months.items()}
        subtotals = [float(line["OPENINTEREST"] or 0) for line in lines if line.get("DELIVERYMONTH") == SUBTOTAL]
    except (KeyError, ValueError) as error:
        return None, f"open interest cannot be read: {error}"
    if subtotals and subtotals != [sum(interest.values())]:
        return None, f"the months' open interest is {sum(interest.values()):g}, the subtotal {subtotals[0]:g}"
    if not max(interest.values()):
        return None, "no delivery month has open interest"
    # Of several months with the same open interest, the nearest.
    largest = max(sorted(interest), key=lambda month: interest[month])
    price = months[largest].get("SETTLEMENTPRICE")
    if price is None:
        return None, "no field SETTLEMENTPRICE"
    return (None if price in ("", "0") else price), None


def _stocks(body: bytes, key: str, day: date, wanted: list[Series]) -> Parsed:
    grids = _html.tables(body.decode("utf-8-sig", "replace"))
    dates = [found.group(0) for grid in grids[:1] for row in grid for cell in row if (found := DAY.search(cell))]
    if not dates or dates[0] != day.isoformat():
        raise BadPayload(
            f"{key}: the page is dated {dates[0] if dates else 'nothing'}, not {day}",
            source=SOURCE,
            todo="open the address; if its layout changed, update this module",
        )
    cells, rejects = [], []
    for series in wanted:
        product = str(series.select["product"])
        stock, problem = _stock(grids, product, str(series.select["unit"]))
        if problem:
            rejects.append(_cells.rejected(series.id, f"{key} {product}", problem))
        else:
            cells.append((series.id, day, stock, f"{key} {product}"))
    if not cells:
        raise BadPayload(f"{key}: none of the {len(wanted)} catalogued products can be read", source=SOURCE)
    return _read(cells, rejects)


def _stock(grids: list[_html.Grid], product: str, unit: str) -> tuple[str | None, str | None]:
    """This week's total of a product's table as printed, or the reason for a reject."""
    try:
        head, total = _table(grids, product, unit)
        figures = {heading: total[_column(head, heading, len(total))] for heading in (LAST_WEEK, THIS_WEEK, CHANGE)}
    except _Unreadable as problem:
        return None, str(problem)
    figures = {heading: _html.without_thousands(text) for heading, text in figures.items()}
    try:
        last, this, change = (float(figures[heading]) for heading in (LAST_WEEK, THIS_WEEK, CHANGE))
    except ValueError:
        if NUMBER.fullmatch(figures[THIS_WEEK]):
            told = ", ".join(f"{heading} '{text}'" for heading, text in figures.items())
            return None, f"cannot be checked against the week before: {told}"
        # A missing-value marker or not a number: decided when the cell is parsed.
        return figures[THIS_WEEK], None
    if abs(this - last - change) > 0.5:
        return None, f"{last:g} last week and a change of {change:g} do not lead to {this:g}"
    return figures[THIS_WEEK], None


class _Unreadable(Exception):
    """A product's table does not have the expected layout or unit."""


def _table(grids: list[_html.Grid], product: str, unit: str) -> tuple[_html.Grid, list[str]]:
    """The two lines of headings of a product's table, and its line of totals.

    The product is the whole first cell of the row that states the unit: a warehouse's name may contain the same
    character (无锡, Wuxi, contains 锡, tin).
    """
    found = [
        (grid, at, stated.group(1))
        for grid in grids
        for at, row in enumerate(grid)
        if row and row[0] == product and (stated := UNIT.search(" ".join(row[1:])))
    ]
    if len(found) != 1:
        raise _Unreadable(f"{len(found)} tables of {product}")
    grid, at, stated_unit = found[0]
    if stated_unit != unit:
        raise _Unreadable(f"is in {stated_unit}, not in {unit}")
    end = next((i for i in range(at + 1, len(grid)) if UNIT.search(" ".join(grid[i][1:]))), len(grid))
    totals = [i for i in range(at + 1, end) if grid[i] and grid[i][0] == GRAND_TOTAL]
    if len(totals) != 1:
        raise _Unreadable(f"{len(totals)} rows {GRAND_TOTAL}")
    # The headings are above or below the line of the product.
    heads = [i for i in range(totals[0]) if THIS_WEEK in grid[i]]
    if not heads:
        raise _Unreadable(f"no heading {THIS_WEEK}")
    if len(grid[totals[0]]) != len(grid[heads[-1]]):  # a missing cell would shift every figure to another heading
        raise _Unreadable(f"{len(grid[totals[0]])} cells {GRAND_TOTAL} under {len(grid[heads[-1]])} headings")
    return grid[heads[-1] : heads[-1] + 2], grid[totals[0]]


def _column(head: _html.Grid, heading: str, width: int) -> int:
    """The column of a heading's total over all metal, as opposed to the part under warrant."""
    top, sub = head
    columns = [i for i, text in enumerate(top) if text == heading]
    if len(columns) > 1:
        columns = [i for i in columns if i < len(sub) and sub[i] == SUBTOTAL]
    if len(columns) != 1 or columns[0] >= width:
        raise _Unreadable(f"{len(columns)} columns {heading} {SUBTOTAL}")
    return columns[0]


def _read(cells: list[tuple[Any, ...]], rejects: list[pl.DataFrame]) -> Parsed:
    schema = {"series_id": pl.String, "period": pl.Date, "text": pl.String, "row": pl.String}
    parsed = _cells.read(
        pl.DataFrame(cells, schema=schema, orient="row").with_columns(
            period_text=pl.col("period").dt.to_string("%Y-%m-%d"), number=pl.lit(None, dtype=pl.Float64)
        )
    )
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )
