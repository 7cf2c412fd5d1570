"""Append-only files of JSON lines: synced, and readable after a kill in the middle of a line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pipelines import text

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
