"""Guangzhou Futures Exchange: daily quotations by POST, one response per day.

Licensed for personal use only (see the source's terms). The API has no TLS. The price of a product is that of
its delivery month with the largest open interest, as in the module of Shanghai.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "gfex"
URL = "http://www.gfex.com.cn/u/interfacesWebTiDayQuotes/loadList"
KEY_PREFIX = "dayquotes/"
WINDOW_DAYS = 10
CLOSED_AFTER_DAYS = 3
DELIVERY_MONTH = re.compile(r"\d{4}")
SUBTOTAL = "小计"

HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
QUOTES = Expect(
    starts_with=(b"{",),
    contains=(b'"data"',),
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """The futures (`trade_type=0`) of the weekdays of the last ten days, newest first.

    Newest first: otherwise, an earlier day in a later payload would be dated as if it had been published late.
    """
    if not catalog.series_of(SOURCE):
        return []
    days = [today - timedelta(days=age) for age in range(WINDOW_DAYS)]
    return [
        Request(
            key=f"{KEY_PREFIX}{day:%Y%m%d}",
            url=URL,
            expect=QUOTES,
            headers=HEADERS,
            body=f"trade_date={day:%Y%m%d}&trade_type=0".encode(),
            closed=(today - day).days > CLOSED_AFTER_DAYS,
        )
        for day in days
        if day.isoweekday() <= 5
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Settlement prices of one day in each product's own unit (CNY per tonne; platinum and palladium per gram).

    The response repeats the date that it was asked for (`param.trade_date`), which must be that of `key`. For a day
    without trading it has a grand total of zeros and no delivery month, which gives no rows and is not an error. An
    empty field and a 0 are missing values. A product whose delivery months do not add up to the exchange's own subtotal
    is rejected.

    Raises BadPayload if the body reports an error, is another day's, has no list of lines, or has trading but none of
    the products.
    """
    wanted = catalog.series_of(SOURCE)
    try:
        day = datetime.strptime(key.removeprefix(KEY_PREFIX), "%Y%m%d").date()  # noqa: DTZ007 - a date, no time of day
    except ValueError:
        wanted = []
    if not key.startswith(KEY_PREFIX) or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    by_product = _lines(body, key, day)
    if not by_product:
        return Parsed()

    cells, rejects = [], []
    for series in wanted:
        product = str(series.select["product"]).upper()
        settlement, problem = _settlement(by_product.get(product, []))
        if problem:
            rejects.append(_cells.rejected(series.id, f"{key} {product}", problem))
        else:
            cells.append((series.id, day, settlement, f"{key} {product}"))
    if not cells:
        raise BadPayload(f"{key}: none of the {len(wanted)} catalogued products can be read", source=SOURCE)
    schema = {"series_id": pl.String, "period": pl.Date, "text": pl.String, "row": pl.String}
    parsed = _cells.read(
        pl.DataFrame(cells, schema=schema, orient="row").with_columns(
            period_text=pl.col("period").dt.to_string("%Y-%m-%d"), number=pl.lit(None, dtype=pl.Float64)
        )
    )
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _lines(body: bytes, key: str, day: date) -> dict[str, list[dict[str, str]]]:
    """Lines by product code in capitals; empty for a day without any delivery month."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE, todo="try again later") from None
    if not isinstance(document, dict) or str(document.get("code", "0")) != "0":
        told = document.get("msg") if isinstance(document, dict) else None
        raise BadPayload(f"{key}: no success: {told or 'no message'}", source=SOURCE, todo="try again later")
    asked = document.get("param")
    said = asked.get("trade_date") if isinstance(asked, dict) else None
    if said is not None and said not in (f"{day:%Y%m%d}", [f"{day:%Y%m%d}"]):
        raise BadPayload(f"{key}: the answer for trade_date {said}", source=SOURCE, todo="try again later")
    data = document.get("data")
    if not isinstance(data, list) or not data or not all(isinstance(line, dict) for line in data):
        raise BadPayload(f"{key}: success without lines", source=SOURCE, todo="try again later")
    lines = [{name: str("" if value is None else value).strip() for name, value in line.items()} for line in data]
    if not any(DELIVERY_MONTH.fullmatch(line.get("delivMonth", "")) for line in lines):
        if any(_number(line.get(name, "")) for line in lines for name in ("openInterest", "volumn")):
            raise BadPayload(f"{key}: trading, but no delivery month", source=SOURCE)
        return {}
    by_product: dict[str, list[dict[str, str]]] = {}
    for line in lines:
        by_product.setdefault(line.get("varietyOrder", "").upper(), []).append(line)
    return by_product


def _number(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _settlement(lines: list[dict[str, str]]) -> tuple[str | None, str | None]:
    """Settlement price of the month with the largest open interest (None if missing), or the reason for a reject."""
    months = {line["delivMonth"]: line for line in lines if DELIVERY_MONTH.fullmatch(line.get("delivMonth", ""))}
    if not months:
        return None, "no delivery month of this product"
    try:
        interest = {month: float(line["openInterest"] or 0) for month, line in months.items()}
        # The subtotal's name is in `variety` ("碳酸锂小计"), with the product's code beside it or not.
        subtotals = [float(line["openInterest"] or 0) for line in lines if SUBTOTAL in line.get("variety", "")]
    except (KeyError, ValueError) as error:
        return None, f"open interest cannot be read: {error}"
    if subtotals and subtotals != [sum(interest.values())]:
        return None, f"the months' open interest is {sum(interest.values()):g}, the subtotal {subtotals[0]:g}"
    if not max(interest.values()):
        return None, "no delivery month has open interest"
    # Of several months with the same open interest, the nearest.
    largest = max(sorted(interest), key=lambda month: interest[month])
    price = months[largest].get("clearPrice")
    if price is None:
        return None, "no field clearPrice"
    return (None if price in ("", "0") else price), None
