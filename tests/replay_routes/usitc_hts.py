"""The tariff commission's list of releases in its documented shape, built by hand; nothing was recorded.

Names and first days are those of the Yale Budget Lab's table of revisions (tariffs/revision_dates.csv of the
recordings, MIT), which is read when asked. The Lab dated some revisions of 2025 by the policy that they print, so these
days are not in every case the commission's own. Clock times and persons are invented.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.recordings import Recordings

Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[..., Answer]]


def releases(today: date | None, upstream: Recordings) -> list[dict[str, Any]]:
    """The list as it stands on `today`, newest first, in the interface's own fields."""
    with upstream.path("tariffs/revision_dates.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["revision"], date.fromisoformat(row["effective_date"])) for row in csv.DictReader(file)]
    started = [(name, start) for name, start in rows if today is None or start <= today]
    found = []
    for position, (name, start) in enumerate(started):
        year, edition = name.split("_", 1) if name.startswith("20") else ("2025", name)
        revision = edition.removeprefix("rev_")
        title = f"Basic Edition ({year})" if edition == "basic" else f"Revision {revision} ({year})"
        end = started[position + 1][1] - timedelta(days=1) if position + 1 < len(started) else None
        found.append(
            {
                "id": {"timestamp": 0, "date": 0},
                "name": f"{year}HTSBasic" if edition == "basic" else f"{year}HTSRev{revision}",
                "description": f"{year} HTS {title.partition(' (')[0]}",
                "date": f"{start:%m/%d/%Y}",
                "time": "12:00:00",
                "title": title,
                "creator": "nobody",
                "status": "archive" if end else "current",
                "target": f"{start:%m/%d/%Y}",
                "releaseStartDate": f"{start:%m/%d/%Y}",
                "releaseEndDate": f"{end:%m/%d/%Y}" if end else None,
                "mergedRevisions": None,
            }
        )
    return found[::-1]


def routes() -> list[Route]:
    def release_list(query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings) -> Answer:
        return 200, "application/json;charset=UTF-8", json.dumps(releases(clock, upstream)).encode()

    return [("hts.usitc.gov", r"^/reststop/releaseList$", release_list)]
