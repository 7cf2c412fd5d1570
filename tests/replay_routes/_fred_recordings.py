"""Recorded FRED files as (first day of period, figure as printed), for publishers that were not recorded."""

from __future__ import annotations

from datetime import date

from tests.recordings import Recordings


def figures(upstream: Recordings, identifier: str, clock: date | None) -> list[tuple[date, str]]:
    """The newest recording made on or before `clock`; empty where there is none. An empty figure is a missing one."""
    recorded = upstream.newest(rf"fred/[^/]+/{identifier}\.csv", clock)
    if recorded is None:
        return []
    rows = [line.split(",", 1) for line in recorded.read_text(encoding="utf-8").splitlines()[1:] if line]
    return [(date.fromisoformat(day), "" if text == "." else text) for day, text in rows]
