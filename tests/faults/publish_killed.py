"""A publication that kills itself at a given point: `python -m tests.faults.publish_killed FOLDER POINT`."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import warehouse
from pipelines.settings import Settings
from pipelines.warehouse import publication

POINTS = (
    "before the copy",
    "in the copy",
    "before pruning",
    "before the sync",
    "before the rename",
    "after the rename",
)


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _half_a_copy(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as part:
        part.write(file.read(source.stat().st_size // 2))
    _die()


def _then_die(original: Callable[..., Any]) -> Callable[..., Any]:
    def both(*arguments: Any) -> None:
        original(*arguments)
        _die()

    return both


def main() -> None:
    folder, point = Path(sys.argv[1]), sys.argv[2]
    replaced: dict[str, tuple[Any, str, Callable[..., Any]]] = {
        "before the copy": (shutil, "copyfile", _die),
        "in the copy": (shutil, "copyfile", _half_a_copy),
        "before pruning": (publication, "_prune", _die),
        "before the sync": (os, "fsync", _die),
        "before the rename": (Path, "replace", _die),
        "after the rename": (Path, "replace", _then_die(Path.replace)),
    }
    owner, name, deed = replaced[point]
    settings = Settings(warehouse_dir=folder, now=datetime(2026, 6, 10, 12, tzinfo=UTC))
    setattr(owner, name, deed)
    warehouse.publish(settings)


if __name__ == "__main__":
    main()
