"""The store of responses: content-addressed payloads, and a journal of retrievals per source."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar
from uuid import uuid4

from pydantic import ConfigDict, Field, NaiveDatetime, TypeAdapter

from pipelines.errors import BadPayload, LandingUnreadable, PayloadNotRead
from pipelines.landing import journal

LEFTOVER_AGE_S = 3600.0
OUTCOMES = (
    "fresh", "unchanged", "not_due", "closed", "offline", "switched_off", "no_key", "failed", "blocked", "not_tried",
    "absent",
)  # fmt: skip


@dataclass(frozen=True)
class Retrieval:
    """One request, sent or skipped, and its outcome; a line of the journal.

    outcome: `fresh` (bytes not seen before for this key), `unchanged`, `not_due` (fetched recently enough),
    `closed` (the response no longer changes), `offline`, `switched_off`, `no_key` (the user has set none), `failed`,
    `blocked` (the publisher turned this client away), `not_tried` (the host was dead or blocks), `absent` (404 or 204,
    for a request that may find nothing).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # a misspelt member is a damaged line

    source: str
    key: str
    checked_at: NaiveDatetime
    outcome: Annotated[str, Field(pattern=f"^({'|'.join(OUTCOMES)})$")]
    payload_id: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    url: str | None = None
    status: int | None = None
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    bytes: int | None = None
    seconds: float | None = None
    error: str | None = None
    closed: bool | None = None  # true for a response to a request that said that it no longer changes

    def line(self) -> str:
        record = {k: v for k, v in asdict(self).items() if v is not None}
        record["checked_at"] = self.checked_at.isoformat()
        return json.dumps(record, sort_keys=True)


_RETRIEVAL = TypeAdapter(Retrieval)


class Landing:
    """Content-addressed payloads and the journal of retrievals, under one folder.

    `objects/ab/<sha256>.gz` holds the bytes; `journal/<source>.jsonl` one line per retrieval, appended and synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, body: bytes) -> str:
        """Store `body` and return its SHA-256. Written to a temporary file and renamed, so never partially."""
        payload_id = hashlib.sha256(body).hexdigest()
        path = self._object(payload_id)
        if not self.holds(payload_id):  # a damaged object is written again
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{uuid4().hex}.part")  # another machine may have a process of the same number
            try:
                with part.open("wb") as file:
                    file.write(gzip.compress(body, compresslevel=6, mtime=0))
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)  # a partial file would take space on a full disk
                raise
        return payload_id

    def sweep(self, now: float) -> None:
        """Remove partial files that killed processes left more than an hour before `now` (seconds since the epoch)."""
        for part in self.root.glob("objects/*/*.part"):
            with contextlib.suppress(FileNotFoundError):
                if now - part.stat().st_mtime > LEFTOVER_AGE_S:
                    part.unlink()

    def get(self, payload_id: str) -> bytes:
        """The bytes of a payload.

        Raises BadPayload if they do not match their hash, PayloadNotRead if they are missing, LandingUnreadable if the
        system does not give them now.
        """
        path = self._object(payload_id)
        try:
            packed = path.read_bytes()
        except FileNotFoundError:
            raise PayloadNotRead(
                f"payload {payload_id[:12]} is not in landing", todo=f"restore {path}, or connect the disk it is on"
            ) from None
        except OSError as error:
            raise LandingUnreadable(
                f"payload {payload_id[:12]} cannot be read from landing now ({error.strerror})",
                kept="what is known; it and later responses to the same request wait",
                todo=f"make {path} readable; delete it only if it is lost",
            ) from None
        try:
            body = gzip.decompress(packed)
        except (OSError, EOFError, zlib.error) as error:
            raise BadPayload(f"payload {payload_id[:12]} in landing is damaged: {error}") from None
        if hashlib.sha256(body).hexdigest() != payload_id:
            raise BadPayload(f"payload {payload_id[:12]} in landing no longer matches its own hash")
        return body

    def holds(self, payload_id: str) -> bool:
        """Whether the payload exists and is undamaged."""
        try:
            self.get(payload_id)
        except (BadPayload, PayloadNotRead):
            return False
        return True

    def append(self, retrieval: Retrieval) -> None:
        journal.append(self._journal(retrieval.source), [retrieval.line()])

    def retrievals(self, source: str) -> list[Retrieval]:
        """Every retrieval of a source, oldest first, but those of lines that are set aside."""
        return self.lines(source).records

    def lines(self, source: str) -> journal.Lines[Retrieval]:
        """The journal of a source: its retrievals, oldest first, and the lines that are set aside."""

        def made(content: object) -> Retrieval:
            retrieval = _RETRIEVAL.validate_python(content)
            if retrieval.source != source:
                raise ValueError("it is a line of another publisher")
            return retrieval

        return journal.read(self._journal(source), made, source)

    def set_aside_later(self, moment: datetime) -> dict[str, int]:
        """Move what journals say of times later than `moment` (UTC) beside them; returns the lines by journal."""
        journals = sorted([*self.root.glob("journal/*.jsonl"), *self.root.glob("*.jsonl")])
        moved = {path.stem: journal.set_aside_later(path, moment) for path in journals}
        return {name: lines for name, lines in moved.items() if lines}

    def _object(self, payload_id: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", payload_id):
            raise BadPayload(f"{payload_id!r} is not a payload's name")
        return self.root / "objects" / payload_id[:2] / f"{payload_id}.gz"

    def _journal(self, source: str) -> Path:
        return self.root / "journal" / f"{source}.jsonl"
