"""The process in which workbooks are read, because their reader allocates every cell up to the last one.

Run as a script, only by `_sheets`. It reads requests from stdin and writes responses to stdout, each preceded by its
length, until stdin ends. It imports nothing of the project and writes no file.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Literal

import fastexcel

MAX_DATA_BYTES = 1_000_000_000  # in addition to what this process needs to start
MAX_CPU_SECONDS = 10  # for one workbook; the largest takes less than one


def receive(stream: IO[bytes]) -> bytes | None:
    """The next message, or None at the end of the stream."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack(">Q", head)
    body = stream.read(size)
    return body if len(body) == size else None


def send(stream: IO[bytes], *parts: bytes) -> None:
    for part in parts:
        stream.write(struct.pack(">Q", len(part)))
        stream.write(part)
    stream.flush()


def sheets(body: bytes, only: str | int | None) -> tuple[list[str], list[bytes]]:
    """Sheet names, and for each sheet its cells as text and as stored numbers (consecutive Arrow streams)."""
    book: Any = fastexcel.read_excel(body)
    names = book.sheet_names if only is None else [book.sheet_names[only] if isinstance(only, int) else only]

    def cells(name: str, dtype: Literal["string", "float"]) -> bytes:
        out = io.BytesIO()
        own: Any = fastexcel.read_excel(body)
        own.load_sheet(name, header_row=None, skip_rows=0, dtypes=dtype).to_polars().write_ipc_stream(out)
        return out.getvalue()

    # Decompressing and parsing the XML is most of the work; it is done for both forms and releases the GIL.
    with ThreadPoolExecutor(2) as both:
        return names, list(both.map(cells, *zip(*((n, t) for n in names for t in ("string", "float")), strict=True)))


def _limit_processor_time() -> None:
    """Have the system kill this process after another MAX_CPU_SECONDS of CPU time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + MAX_CPU_SECONDS
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    with contextlib.suppress(ValueError, OSError):  # not every system supports it; the parent bounds the wall time
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, MAX_DATA_BYTES))
    answers = sys.stdout.buffer
    while (request := receive(sys.stdin.buffer)) is not None:
        body = receive(sys.stdin.buffer)
        if body is None:
            return
        _limit_processor_time()
        try:
            names, streams = sheets(body, json.loads(request)["only"])
            said: dict[str, Any] = {"names": names}
        except fastexcel.SheetNotFoundError:
            said, streams = {"error": "no such sheet", "absent": True}, []
        except BaseException as error:  # noqa: BLE001
            # A panic of the reader is not an Exception; in any case, this workbook cannot be read.
            said, streams = {"error": (str(error) or type(error).__name__).splitlines()[0]}, []
        send(answers, json.dumps(said).encode(), *streams)


if __name__ == "__main__":
    main()
