"""Append-only files of JSON lines: synced, with a checksum per line, and readable whatever became of single lines."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from pipelines import text
from pipelines.warehouse.files import locked, replacing

log = text.logger("metals.landing")
T = TypeVar("T")

LOCK_WAIT_S = 60.0  # a line is appended within milliseconds

# The last member of a line: the CRC-32 of the line without it. Lines of before 2026-12 have none.
_CHECKED = re.compile(rb'(\{.*), "crc32": "([0-9a-f]{8})"\}')


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be used: its number, why, and when the record before it was written."""

    number: int
    reason: str
    after: datetime | None


@dataclass(frozen=True)
class Lines(Generic[T]):
    """What a journal holds, oldest first: its records, and the lines that were set aside."""

    records: list[T]
    bad: list[BadLine]


def append(path: Path, lines: Iterable[str]) -> None:
    """Append `lines`, JSON objects without their line breaks, and sync the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        _append(path, b"".join(_checked(line.encode()) for line in lines))


def _alone(path: Path) -> AbstractContextManager[None]:
    """The journal's lock: landing may be shared with other machines, and a share does not append atomically."""
    return locked(path.with_name(f".{path.name}.lock"), LOCK_WAIT_S)


def _append(path: Path, lines: bytes) -> None:
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")  # the previous line was cut off by a kill; this one must not be appended to it
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def set_aside_later(path: Path, moment: datetime) -> int:
    """Move the lines that say a later time than `moment` (UTC) to a file beside `path`; returns how many.

    They stay as they are. The file beside it is synced before they leave the journal.
    """
    with _alone(path):
        lines = path.read_bytes().splitlines(keepends=True)
        later = [line for line in lines if _is_later(line, moment)]
        if later:
            _append(path.with_name(f"{path.name}.later-than-{moment:%Y%m%dT%H%M%S}"), b"".join(later))
            with replacing(path) as part, part.open("wb") as file:
                file.writelines(line for line in lines if not _is_later(line, moment))
                file.flush()
                os.fsync(file.fileno())
    return len(later)


def _is_later(line: bytes, moment: datetime) -> bool:
    try:
        at = datetime.fromisoformat(json.loads(line)["checked_at"])
    except (ValueError, TypeError, KeyError):
        return False
    return (at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at) > moment


def _checked(line: bytes) -> bytes:
    return line[:-1] + f', "crc32": "{zlib.crc32(line):08x}"}}\n'.encode()


def read(path: Path, made: Callable[[object], T], name: str) -> Lines[T]:
    """Each line as the record, with a time `checked_at`, that `made` makes of it; nothing if there is no file.

    A line that was cut off or damaged, or of which `made` makes nothing (ValueError), is set aside with a warning that
    says `name`; it stays in the file.
    """
    found: Lines[T] = Lines([], [])
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return found
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.records.append(made(_content(line)))
        except ValueError as error:
            after = getattr(found.records[-1], "checked_at", None) if found.records else None
            found.bad.append(BadLine(number, _reason(error), after))
            log.warning("journal of %s: line %d is set aside: %s", name, number, found.bad[-1].reason)
    return found


def _content(line: bytes) -> object:
    checked = _CHECKED.fullmatch(line)
    if checked:
        line = checked[1] + b"}"
        if zlib.crc32(line) != int(checked[2], 16):
            raise ValueError("it does not match its checksum")
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise ValueError("it is incomplete or damaged") from None


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(["it is no record of this journal", *map(str, first["loc"]), first["msg"]])
