"""CME's stock reports in their documented labels, not recorded; the figures are invented.

The workbooks are real ones of the old format (BIFF8 in a compound file), written here because no library at hand does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, timedelta

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]
Rows = list[list[str | float | None]]

SECTOR = 512
MINI_STREAM_BELOW = 4096
END_OF_CHAIN, FAT_SECTOR, FREE, NONE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF, 0xFFFFFFFF


def workbook(rows: Rows) -> bytes:
    """A workbook of one sheet: texts, numbers, and None for an empty cell."""
    return _compound_file(_biff8(rows))


def report(
    metal: str,
    unit: str,
    figures: dict[str, float],
    activity: date,
    reported: date,
    heading: str = "DEPOSITORY",
) -> Rows:
    """A report: notes, dates, headings, one depository, and summary rows (label: stock at the end of the day)."""
    gap: list[str | float | None] = []
    columns = ["PREV TOTAL", "RECEIVED", "WITHDRAWN", "NET CHANGE", "ADJUSTMENT", "TOTAL TODAY"]
    rows: Rows = [
        ["COMMODITY EXCHANGE, INC."],
        ["METAL DEPOSITORY STATISTICS"],
        gap,
        [metal.upper(), None, None, None, None, None, f"Report Date: {reported:%m/%d/%Y}"],
        [unit, None, None, None, None, None, f"Activity Date: {activity:%m/%d/%Y}"],
        gap,
        [heading, None, *columns],
        ["A DEPOSITORY"],
        ["  Registered", None, 10.0, 0.0, 0.0, 0.0, 0.0, 10.0],
        ["  Eligible", None, 20.0, 0.0, 0.0, 0.0, 0.0, 20.0],
        ["  Total", None, 30.0, 0.0, 0.0, 0.0, 0.0, 30.0],
        gap,
    ]
    rows += [[label, None, stock - 1, 1.0, 0.0, 1.0, 0.0, stock] for label, stock in figures.items()]
    return [*rows, gap, ["The information in this report is taken from sources believed to be reliable."]]


def routes() -> list[Route]:
    reports = {
        "Copper_Stocks": (
            "Copper",
            "Short Tons",
            {
                "Total Registered (warranted)": 470000.0,
                "Total Eligible (non-warranted)": 310000.0,
                "TOTAL COPPER": 780000.0,
            },
            "DELIVERY POINT",
        ),
        "Gold_Stocks": (
            "Gold",
            "Troy Ounce",
            {
                "TOTAL REGISTERED": 19000000.125,
                "TOTAL PLEDGED": 1500000.5,
                "TOTAL ELIGIBLE": 17000000.25,
                "COMBINED TOTAL": 36000000.375,
            },
            "DEPOSITORY",
        ),
        "Silver_stocks": (
            "Silver",
            "Troy Ounce",
            {"TOTAL REGISTERED": 150000000.5, "TOTAL ELIGIBLE": 330000000.25, "COMBINED TOTAL": 480000000.75},
            "DEPOSITORY",
        ),
    }

    def answer_of(name: str) -> Callable[[dict[str, list[str]], bytes, date | None], Answer]:
        def answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
            today = clock or NEWEST
            metal, unit, figures, heading = reports[name]
            rows = report(metal, unit, figures, today - timedelta(days=1), today, heading)
            return 200, "application/vnd.ms-excel", workbook(rows)

        return answer

    return [("www.cmegroup.com", f"^/delivery_reports/{name}\\.xls$", answer_of(name)) for name in reports]


def _biff8(rows: Rows, sheet: str = "Sheet1") -> bytes:
    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    cells = b""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                cells += record(0x0204, place + struct.pack("<HB", len(value), 1) + text)
            elif value is not None:
                cells += record(0x0203, place + struct.pack("<d", value))
    end = record(0x000A, b"")
    codepage = record(0x0042, struct.pack("<H", 1200))
    name = struct.pack("<BB", len(sheet), 0) + sheet.encode("latin-1")
    bound = len(begin(5)) + len(codepage) + 4 + 6 + len(name) + len(end)
    globals_ = begin(5) + codepage + record(0x0085, struct.pack("<IBB", bound, 0, 0) + name) + end
    return globals_ + begin(0x10) + cells + end


def _compound_file(stream: bytes) -> bytes:
    size = max(len(stream), MINI_STREAM_BELOW)
    sectors = -(-size // SECTOR)
    stream = stream.ljust(sectors * SECTOR, b"\0")
    tables = -(-(sectors + 1) // (SECTOR // 4 - 1))  # sectors of the allocation table, which lists itself too
    if tables > 109:
        raise ValueError("the header has place for 109 sectors of the allocation table")
    first = tables + 1  # after the table and the directory
    chain = [*[FAT_SECTOR] * tables, END_OF_CHAIN, *range(first + 1, first + sectors), END_OF_CHAIN]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * SECTOR, b"\xff")

    def entry(name: str, kind: int, child: int, start: int, length: int) -> bytes:
        encoded = (name + "\0").encode("utf-16-le")
        return (
            encoded.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(encoded), kind, 1, NONE, NONE, child)
            + bytes(16 + 4 + 8 + 8)
            + struct.pack("<IQ", start, length)
        )

    directory = entry("Root Entry", 5, 1, END_OF_CHAIN, 0) + entry("Workbook", 2, NONE, first, len(stream))
    directory += (bytes(64) + struct.pack("<HBBIII", 0, 0, 0, NONE, NONE, NONE) + bytes(48)) * 2
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, tables, tables, 0, MINI_STREAM_BELOW, END_OF_CHAIN, 0, END_OF_CHAIN, 0)
    header += struct.pack("<109I", *range(tables), *[FREE] * (109 - tables))
    return header + fat + directory + stream
