"""UN Comtrade's preview in its documented shape, not recorded; the figures are invented.

As the interface does, it answers with breakdown rows beside the total where a breakdown is left open, and without rows
for months that the United States have not sent yet (two).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
LAG_MONTHS = 2
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

# commodity: tonnes a month, dollars a kilogram
GOODS = {
    "7403": (70_000, 9.8),
    "2603": (20_000, 2.4),
    "7404": (10_000, 7.0),
    "7106": (500, 1000.0),
    "7601": (250_000, 2.7),
    "283691": (1_000, 11.0),
}


def rows(query: dict[str, list[str]], today: date) -> list[dict[str, Any]]:
    reporter, period = query["reporterCode"][0], query["period"][0]
    year, month = int(period[:4]), int(period[4:])
    age = (today.year - year) * 12 + today.month - month
    if age < LAG_MONTHS:
        return []
    found = []
    for code in query["cmdCode"][0].split(","):
        tonnes, price = GOODS[code]
        weight = tonnes * 1000 * (1 + (year * 12 + month) % 7 / 50)
        row = {
            "typeCode": "C",
            "freqCode": "M",
            "refYear": year,
            "refMonth": month,
            "period": period,
            "reporterCode": int(reporter),
            "flowCode": "M",
            "partnerCode": 0,
            "partner2Code": 0,
            "cmdCode": code,
            "customsCode": "C00",
            "motCode": 0,
            "qtyUnitCode": 8,
            "qty": round(weight, 2),
            "netWgt": round(weight, 2),
            "primaryValue": round(weight * price, 2),
            "isReported": True,
        }
        found.append(row)
        if "motCode" not in query:
            found.append(row | {"motCode": 2100})
        if "customsCode" not in query:
            found.append(row | {"customsCode": "C01"})
    return found


def routes() -> list[Route]:
    def preview(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        data = rows(query, clock or NEWEST)
        document = {"elapsedTime": "0.02 secs", "count": len(data), "data": data, "error": ""}
        return 200, "application/json; charset=utf-8", json.dumps(document).encode()

    return [("comtradeapi.un.org", r"^/public/v1/preview/C/M/HS$", preview)]
