"""Files that are replaced atomically: readers see the old or the new one, and a failure leaves none half-written.

And the locks under which processes write, on this machine or on another that has the same folder.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import LocksRefused

# What a file system without a lock service answers.
_REFUSALS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


def lock_on(path: Path) -> FileLock:
    """The lock that the file at `path` stands for, as the system keeps it: one object per path, process and thread."""
    return FileLock(path, is_singleton=True, fallback_to_soft=False)


def acquire(lock: FileLock, wait_s: float) -> None:
    """Take `lock`; raises Timeout after `wait_s` seconds, and LocksRefused if the file system has no locks."""
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise locks_refused(Path(lock.lock_file).parent, os.strerror(error.errno)) from None


@contextlib.contextmanager
def locked(path: Path, wait_s: float = -1) -> Iterator[None]:
    """Hold the lock on `path`, waiting for it as long as it takes or `wait_s` seconds; raises as `acquire`."""
    lock = lock_on(path)
    acquire(lock, wait_s)
    try:
        yield
    finally:
        lock.release()


def refusal_in(said: object) -> str | None:
    """The reason in DuckDB's message if the file system has no locks; None if it is about anything else."""
    reasons = (*map(os.strerror, _REFUSALS), "File locks are not supported")
    return next((why for why in reasons if f'": {why}' in str(said)), None)


def locks_refused(folder: Path, reason: str) -> LocksRefused:
    """The error where `folder` is on a file system without locks, for whatever needed one."""
    return LocksRefused(
        f"the file system of {folder} refuses to lock files ({reason})",
        kept="everything there, as it is; nothing was written",
        todo="mount the share with its lock service, or use a folder on a local disk (METALS_WAREHOUSE_DIR)",
    )


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
