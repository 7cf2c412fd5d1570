"""The CFTC's open-data interface: recorded weeks as they were recorded, later ones invented.

Open interest on the five recorded as-of dates of 2026 is that of the recorded legacy files, so that the two reports can
be compared; managed money of copper on 2026-09-22 is as published. Before FIRST nothing is invented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.recordings import Recordings

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None, Recordings], Answer]]

MARKETS = {
    "085692": ("COPPER- #1 - COMMODITY EXCHANGE INC.", [224634, 274331, 268800, 250948, 289395]),
    "088691": ("GOLD - COMMODITY EXCHANGE INC.", [354877, 332709, 352167, 371776, 371551]),
    "084691": ("SILVER - COMMODITY EXCHANGE INC.", [115138, 103440, 108944, 104859, 111999]),
    "076651": ("PLATINUM - NEW YORK MERCANTILE EXCHANGE", [59884, 62457, 57738, 53645, 55848]),
    "075651": ("PALLADIUM - NEW YORK MERCANTILE EXCHANGE", [15187, 17455, 17149, 17854, 18574]),
}
RECORDED = [date(2026, 4, 7), date(2026, 6, 9), date(2026, 6, 23), date(2026, 7, 7), date(2026, 8, 4)]
FIRST = date(2025, 1, 7)


def row(code: str, day: date, **positions: Any) -> dict[str, str]:
    """One row: every value is a text."""
    return {
        "cftc_contract_market_code": code,
        "report_date_as_yyyy_mm_dd": f"{day.isoformat()}T00:00:00.000",
        **{name: str(value) for name, value in positions.items()},
    }


def routes() -> list[Route]:
    def recorded(code: str, today: date, upstream: Recordings) -> dict[str, dict[str, str]]:
        return {
            recorded["report_date_as_yyyy_mm_dd"]: recorded
            for recording in sorted(upstream.every, key=lambda recording: recording.known or date.min)
            if recording.key == f"disaggregated/{code}" and recording.known and recording.known <= today
            for recorded in json.loads(recording.path.read_bytes())
        }

    def rows_of(code: str, today: date, upstream: Recordings) -> list[dict[str, str]]:
        known = dict(zip(RECORDED, MARKETS[code][1], strict=True))
        rows = []
        day = FIRST
        while day + timedelta(days=3) <= today:
            interest = known.get(day, MARKETS[code][1][-1])
            long, short = round(interest * 0.3) + day.day, round(interest * 0.1)
            if (code, day) == ("085692", date(2026, 9, 22)):
                long, short = 96421, 13899
            figures = {
                "market_and_exchange_names": MARKETS[code][0],
                "open_interest_all": interest,
                "m_money_positions_long_all": long,
                "m_money_positions_short_all": short,
                "m_money_positions_spread": round(interest * 0.05),
            }
            rows.append(row(code, day, **figures))
            day += timedelta(days=7)
        every = {r["report_date_as_yyyy_mm_dd"]: r for r in rows}
        for at, found in recorded(code, today, upstream).items():
            every[at] = every.get(at, {}) | found
        return [every[at] for at in sorted(every, reverse=True)]

    def resource(query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings) -> Answer:
        today = clock or NEWEST
        found = re.fullmatch(r"cftc_contract_market_code='(\w+)'", query["$where"][0])
        rows = rows_of(found.group(1), today, upstream) if found and found.group(1) in MARKETS else []
        names = query["$select"][0].split(",")
        start, limit = (int(query.get(name, [default])[0]) for name, default in (("$offset", "0"), ("$limit", "1000")))
        shown = [{name: r[name] for name in names if name in r} for r in rows[start : start + limit]]
        return 200, "application/json;charset=utf-8", json.dumps(shown).encode()

    return [("publicreporting.cftc.gov", r"^/resource/72hh-3qpy\.json$", resource)]
