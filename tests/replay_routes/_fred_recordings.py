"""Recorded FRED files as (first day of period, figure as printed), for publishers that were not recorded."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path


def figures(identifier: str, clock: date | None) -> list[tuple[date, str]]:
    """The newest recording made on or before `clock`; empty where there is none. An empty figure is a missing one."""
    default = Path(__file__).resolve().parents[3] / "shared" / "upstream"
    folder = Path(os.environ.get("METALS_TEST_UPSTREAM") or default) / "fred"
    recorded = sorted(
        path
        for path in folder.glob(f"*/{identifier}.csv")
        if clock is None or date.fromisoformat(path.parent.name) <= clock
    )
    if not recorded:
        return []
    rows = [line.split(",", 1) for line in recorded[-1].read_text(encoding="utf-8").splitlines()[1:] if line]
    return [(date.fromisoformat(day), "" if text == "." else text) for day, text in rows]
