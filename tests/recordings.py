"""The recorded payloads and their manifests. Imports nothing of the project."""

from __future__ import annotations

import calendar
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

MADE_UP = "made_up/"  # first part of the path of a file whose figures are made up


def folders() -> list[Path]:
    """The folders that METALS_TEST_UPSTREAM names (separated as in PATH), else every `../shared/upstream*`.

    Only those with a manifest.
    """
    named = os.environ.get("METALS_TEST_UPSTREAM")
    beside = Path(__file__).resolve().parents[2] / "shared"
    found = [Path(folder) for folder in named.split(os.pathsep)] if named else sorted(beside.glob("upstream*"))
    return [folder.resolve() for folder in found if (folder / "manifest.json").is_file()]


def recorded_day(text: str) -> date | None:
    """The day by which a recording existed; of a month or a year that is its last day. None where unknown."""
    match [int(part) for part in text.split("-")] if re.fullmatch(r"\d{4}(-\d\d){0,2}", text) else []:
        case [year]:
            return date(year, 12, 31)
        case [year, month]:
            return date(year, month, calendar.monthrange(year, month)[1])
        case [year, month, day]:
            return date(year, month, day)
    return None


@dataclass(frozen=True)
class Recording:
    """One entry of a manifest. `file` is its path there, without the mark of made-up figures."""

    file: str
    path: Path
    url: str
    known: date | None
    fidelity: str
    key: str | None

    @property
    def whole(self) -> bool:
        """Whether it is all that the publisher answered."""
        return not any(word in text for word in ("excerpt", "first page") for text in (self.file, self.fidelity))


class Recordings:
    """All recordings of one folder or of several."""

    def __init__(self, upstream: Path | Iterable[Path]) -> None:
        self.every = [
            Recording(
                entry["file"].removeprefix(MADE_UP),
                folder / entry["file"],
                entry["url"],
                recorded_day(entry["retrieved_at"]),
                entry["fidelity"],
                entry.get("key"),
            )
            for folder in ([upstream] if isinstance(upstream, Path) else upstream)
            for entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        ]

    def newest(self, file: str, clock: date | None = None) -> Path | None:
        """The newest whole recording whose file is `file` (a regular expression), made on or before `clock`."""
        found = [
            (recording.known or date.min, recording.path)
            for recording in self.every
            if re.fullmatch(file, recording.file)
            and recording.whole
            and (clock is None or (recording.known or date.max) <= clock)
        ]
        return max(found)[1] if found else None

    def path(self, file: str) -> Path:
        """The file of this name, an excerpt or whole. Raises FileNotFoundError where no folder has it."""
        for recording in self.every:
            if recording.file == file:
                return recording.path
        raise FileNotFoundError(file)
