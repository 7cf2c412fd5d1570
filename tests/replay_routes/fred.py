"""FRED series that were never recorded: the documented shape of the file, days without a figure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

NEVER_RECORDED = {"DEXCHUS"}
Answer = tuple[int, str, bytes] | None
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]


def routes() -> list[Route]:
    def answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        (identifier,) = query.get("id", [""])
        if identifier not in NEVER_RECORDED:
            return None
        days = "".join(f"2026-01-{day:02},\n" for day in range(5, 17))
        return 200, "text/csv", f"observation_date,{identifier}\n{days}".encode()

    return [("fred.stlouisfed.org", r"/graph/fredgraph\.csv", answer)]
