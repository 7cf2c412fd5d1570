"""From workbooks (xls and xlsx) to sheets of cells. Code for a single publisher does not belong here.

A workbook is read in a separate process with bounded memory and time: one cell in the last corner of a sheet makes the
reader allocate billions of cells, which kills the process.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import BadPayload, PayloadNotRead
from pipelines.sources import _workbook

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # xlsx, and the binary xls; the file name does not tell which
MAX_UNZIPPED_BYTES = 100_000_000  # the largest sheet read here unzips to under 10 MB
MAX_SECONDS = 60.0  # wall time, on a machine that may be busy; a faulty workbook is caught by its CPU time
CLOSE_SECONDS = 1.0  # an idle reader ends by itself


@dataclass(frozen=True)
class Sheet:
    """One sheet: its cells as text (markers, dates, printed digits) and as stored numbers (else null)."""

    name: str
    texts: pl.DataFrame
    numbers: pl.DataFrame


def read(body: bytes, source: str, only: str | int | None = None) -> list[Sheet]:
    """Every sheet that is not empty, in the workbook's order; or `only` the one of this name or position.

    Raises BadPayload if the body is not a workbook, lacks the sheet, unzips to more than MAX_UNZIPPED_BYTES, or exceeds
    the limits on memory or CPU time; PayloadNotRead if it takes more than MAX_SECONDS of wall time or if something
    other than the workbook ended its reader.
    """
    if body.startswith(ZIP):
        _check_size(body, source)
    said, streams = _reader.ask(body, only, source)
    if "error" in said:
        if said.get("absent"):
            raise BadPayload(f"the workbook has no sheet '{only}'", source=source)
        raise BadPayload(f"not a readable workbook: {said['error']}", source=source)
    frames = [pl.read_ipc_stream(io.BytesIO(stream)) for stream in streams]
    sheets = [Sheet(name, *frames[2 * n : 2 * n + 2]) for n, name in enumerate(said["names"])]
    return [sheet for sheet in sheets if sheet.texts.height and sheet.texts.width]


class _Reader:
    """The process that reads workbooks; started at the first one, and again after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, body: bytes, only: str | int | None, source: str) -> tuple[dict[str, Any], list[bytes]]:
        with self._lock:
            process = self._running()
            too_late = threading.Event()

            def end() -> None:
                too_late.set()
                process.kill()

            late = threading.Timer(MAX_SECONDS, end)
            late.start()
            try:
                assert process.stdin is not None  # noqa: S101 - both are pipes
                assert process.stdout is not None  # noqa: S101
                _workbook.send(process.stdin, json.dumps({"only": only}).encode(), body)
                told = _workbook.receive(process.stdout)
                said: dict[str, Any] = json.loads(told) if told else {}
                streams = [_workbook.receive(process.stdout) for _ in range(2 * len(said.get("names", ())))]
            except BrokenPipeError:
                said, streams = {}, []
            finally:
                late.cancel()
                late.join()  # the timer may be killing the process right now
            if not said or None in streams or too_late.is_set():
                ended = self.close()
                # Killed by the timer, killed by the system for lack of memory, or never started.
                if ended is None or ended >= 0 or ended == -signal.SIGKILL:
                    raise PayloadNotRead(
                        f"the workbook was not read within {MAX_SECONDS:.0f} s, or its reader did not live to",
                        source=source,
                        kept="the last good data",
                        todo="the next run tries again; see what else this machine is doing",
                    )
                raise BadPayload(
                    f"the workbook took more than {_workbook.MAX_DATA_BYTES // 1_000_000} MB or "
                    f"{_workbook.MAX_CPU_SECONDS} s of the processor, or its reader failed on it",
                    source=source,
                    todo="look at the file: a cell far outside its table is enough",
                )
            return said, [stream for stream in streams if stream is not None]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - our own file, under this Python
                [sys.executable, str(Path(_workbook.__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a crash prints pages; the error has the reason
                # Two threads that run out of memory at once would wait for each other over their backtraces.
                env={**os.environ, "POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"},
            )
        return self._process

    def close(self) -> int | None:
        """End the process. Returns its exit status if it had already ended, or None if there was no process."""
        process, self._process = self._process, None
        if process is None:
            return None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # unsent data has no reader
                    pipe.close()
        try:
            return process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None


_reader = _Reader()
atexit.register(_reader.close)


def _check_size(body: bytes, source: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            # The reader does not verify checksums: a flipped bit in the archive could change figures.
            damaged = archive.testzip() if size <= MAX_UNZIPPED_BYTES else None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise BadPayload(f"not a readable workbook: {error}", source=source) from error
    if size > MAX_UNZIPPED_BYTES:
        raise BadPayload(
            f"the workbook says it unzips to {size:,} bytes, more than the {MAX_UNZIPPED_BYTES:,} allowed",
            source=source,
            todo="look at the file before raising MAX_UNZIPPED_BYTES",
        )
    if damaged is not None:
        raise BadPayload(f"not a readable workbook: its member '{damaged}' is damaged", source=source)


def letters(position: int) -> str:
    """Spreadsheet letters of a 0-based column index (0 is A, 65 is BN)."""
    text = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(65 + rest) + text
    return text
