"""Two files of the policy uncertainty site in the documented shape, without figures: for days that have no recording.

Their dates are there and the index is left empty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

HOST = "www.policyuncertainty.com"
LAST_DAY = date(2026, 3, 16)


def _daily(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
    last = min(clock or LAST_DAY, LAST_DAY)
    days = [last - timedelta(n) for n in range(30, -1, -1)]
    lines = ["day,month,year,daily_policy_index", *(f"{d.day},{d.month},{d.year}," for d in days)]
    return 200, "text/csv", ("\n".join(lines) + "\n").encode()


def _china(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
    lines = ["year,month,China News-Based EPU", *(f"2025,{month}," for month in range(1, 13))]
    note = "Source: Measuring Economic Policy Uncertainty by Scott Baker, Nicholas Bloom and Steven J. Davis."
    return 200, "text/csv", ("\n".join([*lines, f'"{note}",,']) + "\n").encode()


def routes() -> list[tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes]]]]:
    return [(HOST, r"/media/All_Daily_Policy_Data\.csv", _daily), (HOST, r"/media/SCMP_China\w+\.xlsx", _china)]
