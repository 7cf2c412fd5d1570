"""IMF SDMX 3.0 interface: documented shape, not recorded. The prices are those of the recorded IMF workbook.

A key that matches nothing (the world as W00) is answered 200 with a header and a row of blanks, as users report.
`table` is used by the unit tests as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import fastexcel

from tests.recordings import Recordings

HOST = "api.imf.org"
PATH = r"/external/sdmx/3\.0/data/dataflow/IMF\.RES/PCPS/\+/\w+\.\w+\.\w+\.\w+"
CONTENT_TYPE = "application/vnd.sdmx.data+csv; version=2.0.0"
HEADER = "STRUCTURE[;],STRUCTURE_ID,ACTION,COUNTRY,INDICATOR,DATA_TRANSFORMATION,FREQUENCY,TIME_PERIOD,OBS_VALUE,SCALE"


def table(indicator: str, rows: list[tuple[str, str]], country: str = "G001") -> bytes:
    """SDMX CSV 2.0 of one indicator; `rows` are periods ("2026-M08") and figures."""
    lines = [f"dataflow,IMF.RES:PCPS(9.0.0),R,{country},{indicator},USD,M,{period},{value},0" for period, value in rows]
    blank = "," * HEADER.count(",")
    return ("\n".join([HEADER, *(lines or [blank])]) + "\n").encode()


@cache
def _prices(workbook: Path) -> dict[str, list[tuple[str, str]]]:
    book = fastexcel.read_excel(workbook.read_bytes())
    frame = book.load_sheet("External", header_row=None, skip_rows=0, dtypes="string").to_polars()
    months = [
        (i, m) for i, text in enumerate(frame.to_series(0)) if (m := re.fullmatch(r"(\d{4})M(\d{1,2})", text or ""))
    ]
    prices = {}
    for position in range(1, frame.width):
        column = frame.to_series(position)
        code = column[0] or ("PLITH" if (column[1] or "").startswith("Lithium Metal") else None)
        if code:
            prices[code] = [(f"{m[1]}-M{int(m[2]):02d}", column[i]) for i, m in months if column[i]]
    return prices


def _answer(
    query: dict[str, list[str]], body: bytes, clock: date | None, path: str, upstream: Recordings
) -> tuple[int, str, bytes]:
    country, indicator, transformation, frequency = path.rpartition("/")[2].split(".")
    workbook = upstream.newest(r"imf_pcps/[^/]+/external-data\.xls", clock)
    found = workbook and (country, transformation, frequency) == ("G001", "USD", "M")
    return 200, CONTENT_TYPE, table(indicator, _prices(workbook).get(indicator, []) if found else [], country)


def routes() -> list[tuple[str, str, Callable[..., tuple[int, str, bytes]]]]:
    return [(HOST, PATH, _answer)]
