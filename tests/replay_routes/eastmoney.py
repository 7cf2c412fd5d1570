"""eastmoney's reports on purchasing managers and industry: documented shape, not recorded.

One month each, with the figures that the National Bureau of Statistics published for May 2024. Any other report is
answered None: the replay serves those from its recordings.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

HOST, PATH = "datacenter-web.eastmoney.com", "/api/data/v1/get"
ROWS: dict[str, dict[str, Any]] = {
    "RPT_ECONOMY_PMI": {"MAKE_INDEX": 49.5, "NMAKE_INDEX": 51.1},
    "RPT_ECONOMY_INDUS_GROW": {"BASE_SAME": 5.6, "BASE_ACCUMULATE": 6.2},
}


def _answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes] | None:
    fields = ROWS.get((query.get("reportName") or [""])[0])
    if fields is None:
        return None
    row = {"REPORT_DATE": "2024-05-01 00:00:00", "TIME": "2024年05月份", **fields}
    result = {"pages": 1, "data": [row], "count": 1}
    answer = {"version": "x", "result": result, "success": True, "message": "ok", "code": 0}
    return 200, "application/json", json.dumps(answer, ensure_ascii=False).encode()


def routes() -> list[
    tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes] | None]]
]:
    return [(HOST, PATH, _answer)]
