"""Typed errors: what happened, to which source, series and row, what was kept, what to do next.

Only exception types belong here. Code that raises one names the source; code that
catches one records it where a user sees it (run metadata, `raw.retrieval`, `metals status`).
"""

from __future__ import annotations

from pipelines.text import printable, without_secrets


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
        super().__init__(without_secrets(printable(" ".join(parts))))


class SettingsError(MetalsError):
    """An environment variable is wrong; the message names it."""


class CatalogError(MetalsError):
    """A catalogue file is wrong; the message names the file and the entry."""


class UpstreamUnavailable(MetalsError):
    """The publisher could not be reached or refused the request: nothing is known about its data."""


class Unconfirmed(UpstreamUnavailable):
    """A message was sent and not confirmed: it may have arrived."""


class Blocked(UpstreamUnavailable):
    """The publisher turned this client away: 403, 412, 429, or a page of scripts in place of data."""


class BadPayload(MetalsError):
    """The publisher responded, but not with the expected data (HTML, truncated, a changed column, a stale file)."""


class Moved(BadPayload):
    """There is nothing at the address any more: 404, 410, or a redirect that may not be followed."""


class PayloadNotRead(MetalsError):
    """Not parsed because of this machine (timed out, killed, not found in landing): the next run retries it."""


class LandingUnreadable(PayloadNotRead):
    """A payload is in landing and cannot be read from there now (I/O error, permission, too many open files)."""


class ContractBreach(MetalsError):
    """More rows broke the contract than the catalogue tolerates; the source's last good data stays."""


class InvalidQuery(MetalsError):
    """A user's query is not one select."""


class AuditFailed(MetalsError):
    """A blocking check failed: the build is not published and the last published file is unchanged."""


class PublishedUnreadable(MetalsError):
    """The published file cannot be opened, nor a copy of it."""


class WarehouseBusy(MetalsError):
    """Another run holds the lock on the build; this one timed out waiting for it."""


class LocksRefused(MetalsError):
    """The file system has no locks, so that nothing keeps two processes from writing to one file."""
