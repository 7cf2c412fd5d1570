"""DBnomics: documented shape, not recorded.

Producer prices and money growth are the figures of the recorded eastmoney reports. No output was recorded: those
series are answered with "NA" throughout, as the mirror does for series that it keeps and no longer fills.
`document` is used by the unit tests as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.recordings import Recordings

HOST = "api.db.nomics.world"
RECORDED = {
    "NBS/M_A010801/A01080101": ("RPT_ECONOMY_PPI", "BASE"),
    "NBS/M_A0D01/A0D0102": ("RPT_ECONOMY_CURRENCY_SUPPLY", "BASIC_CURRENCY_SAME"),
    "NBS/M_A0D01/A0D0104": ("RPT_ECONOMY_CURRENCY_SUPPLY", "CURRENCY_SAME"),
}
EMPTY = [f"NBS/M_A02091{c}/A02091{c}{n}" for c in "HCE" for n in ("01", "02")]


def document(identifier: str, observations: list[tuple[str, Any]], **changed: Any) -> bytes:
    """The answer for one series; `observations` are months ("2026-03") and figures or "NA"."""
    provider, dataset, series = identifier.split("/")
    found = {
        "@frequency": "monthly",
        "dataset_code": dataset,
        "dataset_name": dataset,
        "dimensions": {},
        "indexed_at": "2026-05-18T04:11:06.543Z",
        "period": [period for period, _ in observations],
        "period_start_day": [f"{period}-01" for period, _ in observations],
        "provider_code": provider,
        "series_code": series,
        "series_name": series,
        "value": [value for _, value in observations],
    } | changed
    series_part = {"docs": [found], "limit": 1000, "num_found": 1, "offset": 0}
    return json.dumps(
        {"_meta": {"version": "22.1.17"}, "datasets": {}, "providers": {}, "series": series_part}
    ).encode()


def _observations(upstream: Recordings, identifier: str, clock: date | None) -> list[tuple[str, Any]]:
    report, field = RECORDED[identifier]
    recorded = upstream.newest(rf"eastmoney/[^/]+/{report}\.json", clock)
    if recorded is None:
        return [("2026-01", "NA")]
    rows = json.loads(recorded.read_text(encoding="utf-8"))["result"]["data"]
    return sorted((row["REPORT_DATE"][:7], "NA" if row[field] is None else row[field]) for row in rows)


def routes() -> list[tuple[str, str, Callable[..., tuple[int, str, bytes]]]]:
    def recorded(identifier: str) -> Callable[..., tuple[int, str, bytes]]:
        def answer(
            query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings
        ) -> tuple[int, str, bytes]:
            return 200, "application/json", document(identifier, _observations(upstream, identifier, clock))

        return answer

    def empty(identifier: str) -> Callable[..., tuple[int, str, bytes]]:
        months = [(f"2025-{month:02d}", "NA") for month in range(1, 13)]
        return lambda query, body, clock, upstream: (200, "application/json", document(identifier, months))

    return [(HOST, f"/v22/series/{identifier}", recorded(identifier)) for identifier in RECORDED] + [
        (HOST, f"/v22/series/{identifier}", empty(identifier)) for identifier in EMPTY
    ]
