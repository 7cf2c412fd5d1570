"""Yahoo's chart API: daily closes of the front-month metals futures, one JSON per symbol.

Licensed for personal use only (see the source's terms). The continuous symbols ("GC=F") are not adjusted for the roll
from one delivery month to the next: a jump at a roll is not a return.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, REJECT, Expect, Parsed, Request, _cells, _json

SOURCE = "yahoo"
CHART_URL = "https://query1.finance.yahoo.com/v8/finance/chart/"
KEY_PREFIX = "chart/"
MAX_STAMP = 253_402_300_800  # the first second of the year 10000
RANGE = "2y"  # about 50 kB per response; a revision within this range is seen in the next run

CHART = Expect(
    starts_with=(b"{",),
    contains=(b'"chart"',),
)

FIELDS = ("open", "high", "low", "close", "volume")  # of a quote, one list each


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per symbol."""
    symbols = dict.fromkeys(str(series.select["symbol"]) for series in catalog.series_of(SOURCE))
    return [
        Request(
            key=f"{KEY_PREFIX}{symbol}",
            url=f"{CHART_URL}{symbol}",
            expect=CHART,
            params=(("range", RANGE), ("interval", "1d")),
        )
        for symbol in symbols
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Daily closes of one symbol in the series' unit; `period` is the trading day in the exchange's time zone.

    A daily bar is stamped with the exchange's midnight, in that day's own offset from UTC; `gmtoffset` of the response
    is today's offset and would misdate half of the year. A last bar at another time of day is the latest trade and is
    left out; any other bar at such a time is rejected. A null is a missing value.

    Prices are 32-bit floats printed as 64-bit ones (4076.60009765625); the value is the shortest decimal of the same
    32-bit float (4076.6), which is the price as the exchange prints it.

    Raises BadPayload if the response is an error, belongs to another symbol, currency or granularity, or has no bars.
    """
    symbol = key.removeprefix(KEY_PREFIX)
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["symbol"] == symbol]
    if not key.startswith(KEY_PREFIX) or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    meta, stamps, closes = _chart(body, symbol)
    for series in wanted:
        if meta.get("currency") != series.select["currency"]:
            raise BadPayload(
                f"is quoted in {meta.get('currency')!r}, not in {series.select['currency']}",
                source=SOURCE,
                series=series.id,
                todo="see whether the exchange or Yahoo changed the unit, and update the catalogue",
            )
    zone = meta.get("exchangeTimezoneName")
    try:
        ZoneInfo(str(zone))
    except (ZoneInfoNotFoundError, ValueError):
        raise BadPayload(f"names no time zone of the exchange: {zone!r}", source=SOURCE, series=symbol) from None

    bars = (
        pl.DataFrame({"stamp": stamps, "close": closes}, schema={"stamp": pl.Int64, "close": pl.Float64})
        .with_row_index("bar")
        .with_columns(local=pl.from_epoch("stamp").dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone)))
        .with_columns(
            row=pl.format("bar {}", "bar"),
            at_midnight=(pl.col("local").dt.time() == pl.time(0)).fill_null(False),
        )
    )
    if not bars["at_midnight"][-1]:
        bars = bars.head(-1)
    if bars.is_empty():
        raise BadPayload("holds no bar but the trade of the moment", source=SOURCE, series=symbol)
    daily = bars.filter("at_midnight")
    odd = bars.filter(~pl.col("at_midnight"))
    rejects = [
        odd.select(
            pl.lit(series.id).alias("series_id"),
            "row",
            reason=pl.format(
                "is no daily bar: it begins at {}", pl.col("local").dt.to_string("%Y-%m-%d %H:%M:%S").fill_null("null")
            ),
        ).select(REJECT.keys())
        for series in wanted
    ]
    parsed = _cells.read(
        pl.concat(
            daily.select(
                pl.lit(series.id).alias("series_id"),
                pl.col("local").dt.to_string("%Y-%m-%d").alias("period_text"),
                pl.col("local").dt.date().alias("period"),
                pl.col("close").cast(pl.Float32).cast(pl.String).alias("text"),
                pl.lit(None, dtype=pl.Float64).alias("number"),
                "row",
            )
            for series in wanted
        )
    )
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _chart(body: bytes, symbol: str) -> tuple[dict[str, Any], list[Any], list[Any]]:
    """Metadata of the symbol, timestamps in seconds since 1970, and closes; the two lists have the same length."""
    try:
        chart = _json.typed(body)["chart"]
        error, results = chart["error"], chart["result"]
    except (*NOT_JSON, KeyError, TypeError):
        raise BadPayload("is no chart in JSON", source=SOURCE, series=symbol, todo="try again later") from None
    if error or not results:
        told = error.get("description") if isinstance(error, dict) else None
        raise BadPayload(f"no chart: {told or 'no reason given'}", source=SOURCE, series=symbol)
    try:
        meta, stamps = results[0]["meta"], results[0]["timestamp"]
        quote = results[0]["indicators"]["quote"][0]
        closes = quote["close"]
        found, granularity = meta["symbol"], meta.get("dataGranularity", "1d")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise BadPayload("a chart without meta, timestamp or close", source=SOURCE, series=symbol) from None
    if found != symbol or granularity != "1d":
        raise BadPayload(f"is {found} in steps of {granularity}, not {symbol} by day", source=SOURCE, series=symbol)
    if not isinstance(stamps, list) or not isinstance(closes, list) or len(stamps) != len(closes) or not stamps:
        raise BadPayload("time stamps and closes are not of one length", source=SOURCE, series=symbol)
    # If bytes between two arrays were lost, one array continues with the figures of the other.
    if uneven := [f for f in FIELDS if not isinstance(quote.get(f), list) or len(quote[f]) != len(stamps)]:
        raise BadPayload(f"{', '.join(uneven)}: not one for each time stamp", source=SOURCE, series=symbol)
    if not all(isinstance(stamp, int) and abs(stamp) < MAX_STAMP for stamp in stamps) or not all(
        close is None or (isinstance(close, (int, float)) and not isinstance(close, bool)) for close in closes
    ):
        raise BadPayload("a time stamp or close is no number", source=SOURCE, series=symbol)
    return meta, stamps, closes
