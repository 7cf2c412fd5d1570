"""SEC data sets of the quarters that were not recorded: the recorded layout without rows, padded to a plausible size.

2010q2 is recorded, and the replay serves it by itself.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date

Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

SUB = "adsh\tcik\tname\tform\tperiod\tfy\tfp\tfiled\tprevrpt\tnciks\taciks\n"
NUM = "adsh\ttag\tversion\tddate\tqtrs\tuom\tsegments\tcoreg\tvalue\tfootnote\n"


def empty() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("readme.htm", " " * 120_000)
        archive.writestr("sub.txt", SUB)
        archive.writestr("num.txt", NUM)
    return buffer.getvalue()


def routes() -> list[Route]:
    return [
        (
            "www.sec.gov",
            r"^/files/dera/data/financial-statement-data-sets/\d{4}q[1-4]\.zip$",
            lambda query, body, clock: (200, "application/zip", empty()),
        )
    ]
