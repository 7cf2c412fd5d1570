"""Rows of the benchmark table, and the table itself. The measurements are in the other modules."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from importlib import metadata
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table: the same work done by this project, by a peer, and by a minimal program (the limit).

    Figures are medians in `unit`, measured in one session with the sides taking turns. `peer` and `limit` are None if
    there is none. `lower_is_better` gives the direction of the ratios; `note` describes the sides.
    """

    subject: str
    unit: str
    ours: float
    peer: float | None
    limit: float | None
    note: str
    lower_is_better: bool = True

    def cells(self) -> tuple[str, ...]:
        """Cells: subject, ours, peer, limit, ours against the peer, ours against the limit, note."""

        def shown(value: float | None) -> str:
            return "" if value is None else f"{value:,.3g} {self.unit}"

        def ratio(other: float | None) -> str:
            if other is None or not self.ours or not other:
                return ""
            times = other / self.ours if self.lower_is_better else self.ours / other
            return f"{times:.2f}x"

        return (
            self.subject,
            shown(self.ours),
            shown(self.peer),
            shown(self.limit),
            ratio(self.peer),
            ratio(self.limit),
            self.note,
        )


def markdown(rows: Sequence[Row]) -> str:
    """The table; a ratio above one means that this project is better than the other side."""
    head = ("what", "ours", "peer", "limit", "ours vs peer", "ours vs limit", "sides")
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row.cells()) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def medians(*sides: Callable[[], object], runs: int = RUNS) -> list[float]:
    """Median seconds of each side over `runs` rounds in which the sides take turns, after one round not counted."""
    seconds: list[list[float]] = [[] for _ in sides]
    for counted in range(-1, runs):
        for times, side in zip(seconds, sides, strict=True):
            start = perf_counter()
            side()
            if counted >= 0:
                times.append(perf_counter() - start)
    return [statistics.median(times) for times in seconds]


def version(package: str) -> str:
    """Name and version of a peer, for the note."""
    return f"{package} {metadata.version(package)}"
