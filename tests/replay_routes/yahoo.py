"""Yahoo's chart interface in its documented shape, not recorded; the prices are invented."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

NEW_YORK = ZoneInfo("America/New_York")
# symbol: name of the exchange in the answer, a price of the right order of magnitude
SYMBOLS = {
    "GC=F": ("CMX", 4200.0),
    "SI=F": ("CMX", 60.0),
    "PL=F": ("NYM", 1900.0),
    "PA=F": ("NYM", 1500.0),
    "HG=F": ("CMX", 6.2),
    "ALI=F": ("CMX", 3100.0),
}


def midnight(day: date) -> int:
    """The stamp of a daily bar: midnight in New York, in that day's own offset, in seconds since 1970."""
    return int(datetime.combine(day, time(0), NEW_YORK).timestamp())


def float32(price: float) -> float:
    """The price as the interface prints it: a 32-bit float widened to 64 bits."""
    return struct.unpack("f", struct.pack("f", price))[0]


def chart(symbol: str, bars: Iterable[tuple[int, float | None]], **meta: Any) -> bytes:
    """A chart of daily bars, given as (stamp, close)."""
    stamps, closes = zip(*bars, strict=True)
    facts = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "CMX",
        "instrumentType": "FUTURE",
        "gmtoffset": -18000,  # of the day of the answer, not of the bars
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "dataGranularity": "1d",
        "range": "2y",
    }
    columns = {name: list(closes) for name in ("open", "high", "low", "close")}
    quote = {**columns, "volume": [1000 for _ in closes]}
    result = {"meta": facts | meta, "timestamp": list(stamps), "indicators": {"quote": [quote]}}
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def routes() -> list[Route]:
    def answer_of(
        symbol: str, exchange: str, level: float
    ) -> Callable[[dict[str, list[str]], bytes, date | None], Answer]:
        def answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
            today = clock or NEWEST
            days = [today - timedelta(days=age) for age in range(730, 0, -1)]
            bars: list[tuple[int, float | None]] = [
                (midnight(day), float32(round(level * (1 + 0.1 * math.sin(day.toordinal() / 60)), 2)))
                for day in days
                if day.isoweekday() <= 5
            ]
            bars.append((midnight(today), float32(level)))  # the running day beside the trade of the moment
            bars.append((midnight(today) + 15 * 3600 + 1234, float32(level)))
            return 200, "application/json;charset=utf-8", chart(symbol, bars, exchangeName=exchange)

        return answer

    return [
        ("query1.finance.yahoo.com", f"^/v8/finance/chart/{symbol}$", answer_of(symbol, exchange, level))
        for symbol, (exchange, level) in SYMBOLS.items()
    ]
