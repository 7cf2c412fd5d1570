"""BLS API v2: documented shape, not recorded.

The figures are those of the recorded FRED files of the same series; a series that was not recorded is answered as one
without data. What the interface does with a range over ten years, an unknown series and October 2025 is as documented
by its users. `result`, `row` and `answer` are used by the unit tests as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.recordings import Recordings
from tests.replay_routes import _fred_recordings

HOST = "api.bls.gov"
PATH = "/publicAPI/v2/timeseries/data/"
FRED = {"CUSR0000SA0": "CPIAUCSL", "PRS85006093": "OPHNFB", "WPU00000000": "PPIACO"}
KNOWN = {*FRED, "CUUR0000SA0", "PRS85006092", "WPU102", "LNS14000000"}
LAPSE = {"CUSR0000SA0", "CUUR0000SA0", "LNS14000000"}
LONGEST_RANGE_YEARS = 10


def row(year: int, period: str, value: str, footnotes: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "year": str(year),
        "period": period,
        "periodName": period,
        "value": value,
        "footnotes": footnotes or [{}],
    }


def result(identifier: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"seriesID": identifier, "data": rows}


def answer(results: list[dict[str, Any]], *messages: str, status: str = "REQUEST_SUCCEEDED") -> bytes:
    outcome: Any = {"series": results} if status == "REQUEST_SUCCEEDED" else {}
    return json.dumps({"status": status, "responseTime": 142, "message": list(messages), "Results": outcome}).encode()


def _rows(upstream: Recordings, identifier: str, first: int, last: int, clock: date | None) -> list[dict[str, Any]]:
    quarterly = identifier.startswith("PRS")
    rows = []
    for day, text in _fred_recordings.figures(upstream, FRED.get(identifier, ""), clock):
        period = f"Q0{(day.month + 2) // 3}" if quarterly else f"M{day.month:02d}"
        if first <= day.year <= last and text:
            rows.append((day, row(day.year, period, text)))
    if rows and identifier in LAPSE and rows[-1][0] > date(2025, 10, 1) and first <= 2025 <= last:
        note = {"code": "X", "text": "Data unavailable due to the 2025 lapse in appropriations"}
        rows.append((date(2025, 10, 1), row(2025, "M10", "-", [note])))
    return [cells for _, cells in sorted(rows, key=lambda pair: pair[0], reverse=True)]


def _answer(
    query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings
) -> tuple[int, str, bytes]:
    asked = json.loads(body)
    first, last = int(asked["startyear"]), int(asked["endyear"])
    results, messages = [], []
    if last - first + 1 > LONGEST_RANGE_YEARS:
        last = first + LONGEST_RANGE_YEARS - 1
        messages.append("Year range has been reduced to the system-allowed limit of 10 years.")
    for identifier in asked["seriesid"]:
        rows = _rows(upstream, identifier, first, last, clock)
        results.append(result(identifier, rows))
        if identifier not in KNOWN:
            messages.append(f"Series does not exist for Series {identifier}")
        elif not rows:
            messages += [f"No Data Available for Series {identifier} Year: {year}" for year in range(first, last + 1)]
    return 200, "text/plain;charset=ISO-8859-1", answer(results, *messages)  # as recorded


def routes() -> list[tuple[str, str, Callable[..., tuple[int, str, bytes]]]]:
    return [(HOST, PATH, _answer)]
