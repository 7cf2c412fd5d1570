"""Files that are replaced atomically: readers see the old or the new one, and a failure leaves none half-written."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator
from pathlib import Path


def part_of(target: Path) -> Path:
    """The file that is written before it replaces `target`, beside it, or beside what it links to."""
    target = target.resolve()
    return target.with_name(f".{target.name}.{os.getpid()}.part")


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """The file to write; it replaces `target` in the end, or is removed after a failure, as on a full disk.

    A symbolic link stays, and what it points to is replaced.
    """
    part = part_of(target)
    try:
        yield part
        part.replace(target.resolve())
    except BaseException:
        remove_parts(target, os.getpid())
        raise


def remove_parts(target: Path, process: int | str = "*") -> None:
    """Remove what one process, or any, has left of a new `target`, with what DuckDB put beside it."""
    target = target.resolve()
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.{process}.part*"):
        leftover.unlink()
