"""World Bank indicators API: documented shape, not recorded.

A few years of each series, rounded: the figures stand for the shape, not for the database. `answer` and `row` are used
by the unit tests as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

HOST = "api.worldbank.org"
PATH = r"/v2/country/[A-Z]{3}/indicator/[A-Z.]+"
FIGURES: dict[tuple[str, str], dict[int, float | None]] = {
    ("NY.GDP.MKTP.CD", "USA"): {1960: 542000000000, 2023: 27700000000000, 2024: 29200000000000, 2025: None},
    ("NY.GDP.MKTP.CD", "CHN"): {1960: 59700000000, 2023: 18300000000000, 2024: 18700000000000, 2025: None},
    ("NY.GDP.MKTP.CD", "WLD"): {1960: 1390000000000, 2023: 107000000000000, 2024: 111000000000000, 2025: None},
    ("NY.GDP.MKTP.KD.ZG", "WLD"): {1961: 3.8, 2020: -2.9, 2023: 2.8, 2024: 2.9, 2025: None},
    ("NE.TRD.GNFS.ZS", "USA"): {1970: 10.8, 2022: 27.0, 2023: 24.9, 2024: None, 2025: None},
    ("NE.TRD.GNFS.ZS", "WLD"): {1970: 25.2, 2022: 62.8, 2023: 58.5, 2024: None, 2025: None},
}
COUNTRY_IDS = {"USA": "US", "CHN": "CN", "WLD": "1W"}
REFUSAL = [{"message": [{"id": "120", "key": "Invalid value", "value": "The provided parameter value is not valid"}]}]


def row(indicator: str, country: str, year: str, value: Any) -> dict[str, Any]:
    return {
        "indicator": {"id": indicator, "value": indicator},
        "country": {"id": COUNTRY_IDS.get(country, country[:2]), "value": country},
        "countryiso3code": country,
        "date": year,
        "value": value,
        "unit": "",
        "obs_status": "",
        "decimal": 0,
    }


def answer(rows: list[dict[str, Any]] | None, **paging: Any) -> bytes:
    count = len(rows or [])
    head = {"page": 1, "pages": 1, "per_page": 20000, "total": count, "sourceid": "2", "lastupdated": "2026-09-15"}
    return json.dumps([head | paging, rows]).encode()


def _of(indicator: str, country: str) -> Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes]]:
    def reply(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
        if query.get("format") != ["json"]:
            return 200, "text/xml", b"<?xml version='1.0'?><wb:data xmlns:wb='http://www.worldbank.org'/>"
        years = sorted(FIGURES[indicator, country].items(), reverse=True)
        size = int(query.get("per_page", ["50"])[0])
        rows = [row(indicator, country, str(year), value) for year, value in years][:size]
        pages = -(-len(years) // size)
        return 200, "application/json;charset=utf-8", answer(rows, pages=pages, per_page=size, total=len(years))

    return reply


def _refuse(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
    return 200, "application/json;charset=utf-8", json.dumps(REFUSAL).encode()


def routes() -> list[tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes]]]]:
    known = [
        (HOST, re.escape(f"/v2/country/{country}/indicator/{indicator}"), _of(indicator, country))
        for indicator, country in FIGURES
    ]
    return [*known, (HOST, PATH, _refuse)]
