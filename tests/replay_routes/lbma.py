"""LBMA's JSON files in the recorded shape of gold_pm (an excerpt); the prices are invented."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, timedelta

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

FILES = {"gold_pm": 4200.0, "silver": 60.0, "platinum_pm": 1900.0, "palladium_pm": 1500.0}


def routes() -> list[Route]:
    def answer_of(level: float) -> Callable[[dict[str, list[str]], bytes, date | None], Answer]:
        def answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
            today = clock or NEWEST
            rows = []
            for age in range(730, 0, -1):
                day = today - timedelta(days=age)
                if day.isoweekday() > 5 or (day.month, day.day) in ((12, 24), (12, 31)):
                    continue
                dollars = round(level * (1 + 0.1 * math.sin(day.toordinal() / 60)), 2)
                legs = [dollars, round(dollars * 0.75, 2), round(dollars * 0.87, 2)]
                rows.append({"is_cms_locked": 0, "d": day.isoformat(), "v": legs})
            return 200, "application/json", json.dumps(rows, separators=(",", ":")).encode()

        return answer

    return [("prices.lbma.org.uk", f"^/json/{name}\\.json$", answer_of(level)) for name, level in FILES.items()]
