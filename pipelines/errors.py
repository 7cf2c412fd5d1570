"""Typed errors: what happened, to which source, series and row, what was kept, what to do next.

Only exception types, and how their words are made safe, live here. Whoever raises one names the source; whoever
catches one records it where a user sees it (run metadata, `raw.retrieval`, `metals status`).
"""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with blanks for what a terminal or a page would obey: control, direction and invisible characters."""
    return "".join(c if c.isprintable() else " " for c in text)


class MetalsError(Exception):
    """Base of every error this project raises on purpose."""

    def __init__(
        self,
        what: str,
        *,
        source: str | None = None,
        series: str | None = None,
        row: str | None = None,
        kept: str | None = None,
        todo: str | None = None,
    ) -> None:
        self.what, self.source, self.series, self.row = what, source, series, row
        self.kept, self.todo = kept, todo
        place = " ".join(
            f"{name}={value}" for name, value in (("source", source), ("series", series), ("row", row)) if value
        )
        parts = [f"[{place}] {what}" if place else what]
        if kept:
            parts.append(f"Kept: {kept}.")
        if todo:
            parts.append(f"Next: {todo}.")
        super().__init__(printable(" ".join(parts)))


class CatalogError(MetalsError):
    """A catalogue file is wrong; the message names the file and the entry."""


class UpstreamUnavailable(MetalsError):
    """The publisher could not be reached or refused: nothing was learnt about its data."""


class BadPayload(MetalsError):
    """The publisher answered, but not with what was asked for (HTML, truncated, a changed column, stale file)."""


class PayloadNotRead(MetalsError):
    """Reading took too long on this machine, or was ended by it: no fault of the payload yet, the next run tries."""


class ContractBreach(MetalsError):
    """More rows broke the contract than the catalogue tolerates; the source's last good data stands."""


class AuditFailed(MetalsError):
    """A blocking check failed: the build is not published and the last published file is untouched."""


class WarehouseBusy(MetalsError):
    """Another run holds the build; this one waited and then gave up."""
