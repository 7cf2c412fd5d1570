"""Append-only files of JSON lines: synced, and readable after a kill in the middle of a line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pipelines import text
from pipelines.warehouse.files import replacing

log = text.logger("metals.landing")
T = TypeVar("T")


def append(path: Path, lines: Iterable[str]) -> None:
    """Append `lines`, without their line breaks, and sync the file. Callers see to it that one writes at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")  # the previous line was cut off by a kill; this one must not be appended to it
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())


def set_aside_later(path: Path, moment: datetime) -> int:
    """Move the lines that say a later time than `moment` (UTC) to a file beside `path`; returns how many.

    They stay as they are. The file beside it is synced before they leave the journal.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    later = [line for line in lines if _is_later(line, moment)]
    if later:
        append(
            path.with_name(f"{path.name}.later-than-{moment:%Y%m%dT%H%M%S}"), (x.decode().rstrip("\n") for x in later)
        )
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


def read(path: Path, made: Callable[[dict[str, Any]], T], name: str) -> list[T]:
    """Each line's record, whose `checked_at` is a time, as `made` makes it; none if there is no file.

    Lines cut off by a kill are skipped with a warning that says `name`.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            found.append(made(record | {"checked_at": datetime.fromisoformat(record["checked_at"])}))
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("journal of %s: line %d is incomplete and was skipped", name, number)
    return found
