"""Workbooks (xls and xlsx) to sheets of cells, for every publisher that writes one. Nothing here knows a publisher."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import fastexcel
import polars as pl

from pipelines.errors import BadPayload

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # xlsx, and the binary xls; the name of a file does not tell which
CONTENT_TYPES = (
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
    "binary/octet-stream",
    "application/zip",
    "application/x-msexcel",
    "application/excel",
)
MAX_UNZIPPED_BYTES = 100_000_000  # the largest sheet read here unzips to under 10 MB


@dataclass(frozen=True)
class Sheet:
    """One sheet, cell for cell: as text (markers, dates, printed digits) and as the stored numbers (else null)."""

    name: str
    texts: pl.DataFrame
    numbers: pl.DataFrame


def read(body: bytes, source: str) -> list[Sheet]:
    """Every sheet that holds a cell, in the workbook's order.

    Raises BadPayload when the body is no workbook or unzips to more than MAX_UNZIPPED_BYTES.
    """
    if body.startswith(ZIP):
        _check_size(body, source)
    try:
        book = fastexcel.read_excel(body)
        frames = [
            (
                name,
                *(
                    book.load_sheet(name, header_row=None, skip_rows=0, dtypes=dtype).to_polars()
                    for dtype in ("string", "float")
                ),
            )
            for name in book.sheet_names
        ]
    except fastexcel.FastExcelError as error:
        raise BadPayload(f"not a readable workbook: {str(error).splitlines()[0]}", source=source) from error
    return [Sheet(name, texts, numbers) for name, texts, numbers in frames if texts.height and texts.width]


def _check_size(body: bytes, source: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise BadPayload(f"not a readable workbook: {error}", source=source) from error
    if size > MAX_UNZIPPED_BYTES:
        raise BadPayload(
            f"the workbook says it unzips to {size:,} bytes, more than the {MAX_UNZIPPED_BYTES:,} allowed",
            source=source,
            todo="look at the file before raising MAX_UNZIPPED_BYTES",
        )


def letters(position: int) -> str:
    """Spreadsheet letters of a 0-based column position (0 is A, 65 is BN)."""
    text = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(65 + rest) + text
    return text
