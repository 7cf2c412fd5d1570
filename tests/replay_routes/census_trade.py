"""The Census Bureau's import table in its documented shape, built by hand; nothing was recorded.

The value with freight and insurance is the invented one of the Comtrade route in whole dollars, as both offices print
the same customs figures; the others are invented shares of it. As the interface does, it sends a call without a key to
a page that says so with status 200, adds the rows of countries and regions where no country is named, answers several
products in one value with 204, and prints a quantity of 0 with the unit "-" at four and six digits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.replay_routes.comtrade import GOODS, LAG_MONTHS, NEWEST
from tests.replay_routes.comtrade import rows as comtrade_rows

Answer = tuple[Any, ...]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

HOST = "api.census.gov"
LEVELS = {4: "HS4", 6: "HS6"}
CUSTOMS_SHARE, CONSUMPTION_SHARE = 0.98, 0.97  # of the value with freight and insurance
DUTY_SHARE = {"7403": 0.01, "7601": 0.25}  # of the value for consumption
COUNTRIES = {"1220": 0.6, "3370": 0.4, "0014": 1.0}  # Canada, Chile, and a region that holds both


def figures(code: str, year: int, month: int, today: date) -> dict[str, str] | None:
    """The total of a month as printed; None where it is not out yet."""
    query = {"reporterCode": ["842"], "period": [f"{year}{month:02}"], "cmdCode": [code]}
    found = comtrade_rows(query | {"motCode": ["0"], "customsCode": ["C00"]}, today)
    if not found:
        return None
    cif = round(found[0]["primaryValue"])
    customs, consumption = round(cif * CUSTOMS_SHARE), round(cif * CONSUMPTION_SHARE)
    return {
        "GEN_VAL_MO": str(customs),
        "GEN_CIF_MO": str(cif),
        "CON_VAL_MO": str(consumption),
        "CAL_DUT_MO": str(round(consumption * DUTY_SHARE.get(code, 0))),
        "GEN_QY1_MO": "0",
        "UNIT_QY1": "-",
    }


def routes() -> list[Route]:
    def imports(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        if not query.get("key", [""])[0]:
            return 302, "text/html", b"", {"Location": f"https://{HOST}/data/missing_key.html"}
        code = query.get("I_COMMODITY", [""])[0]
        if code not in GOODS or query.get("COMM_LVL") != [LEVELS[len(code)]]:
            return 204, "text/plain", b""
        today = clock or NEWEST
        _, first, _, last = query["time"][0].split(" ")
        months = [
            (year, month)
            for year in range(int(first[:4]), int(last[:4]) + 1)
            for month in range(1, 13)
            if first <= f"{year}-{month:02}" <= last and (today.year - year) * 12 + today.month - month >= LAG_MONTHS
        ]
        asked = query["get"][0].split(",")
        countries = {"-": 1.0} if query.get("CTY_CODE") == ["-"] else {"-": 1.0, **COUNTRIES}
        table = [[*asked, "COMM_LVL", "I_COMMODITY", "CTY_CODE", "time"]]
        for year, month in months:
            printed = figures(code, year, month, today)
            for country, share in countries.items():
                cells = {n: str(round(int(v) * share)) if v.isdigit() else v for n, v in (printed or {}).items()}
                table.append([*(cells[n] for n in asked), LEVELS[len(code)], code, country, f"{year}-{month:02}"])
        return 200, "application/json;charset=utf-8", json.dumps(table).replace("], [", "],\n[").encode()

    def missing_key(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        page = (
            b"<html><head><title>Missing Key</title></head><body>A valid <em>key</em> must be included.</body></html>"
        )
        return 200, "text/html", page

    return [
        (HOST, r"^/data/timeseries/intltrade/imports/hs$", imports),
        (HOST, r"^/data/missing_key\.html$", missing_key),
    ]
