"""The daily workbook of geopolitical risk: documented shape, not recorded, and without figures.

Its dates are there and its cells are empty, for no daily figure was recorded; and it is an xlsx, for nothing here
writes the old format. `workbook` is used by the unit tests of three publishers. The monthly workbook is recorded.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from xml.sax.saxutils import escape

HOST, PATH = "www.matteoiacoviello.com", r"/gpr_files/data_gpr_daily_recent\.xls"
HEADER = [
    "DAY",
    "N10D",
    "GPRD",
    "GPRD_ACT",
    "GPRD_THREAT",
    "date",
    "GPRD_MA30",
    "GPRD_MA7",
    "event",
    "var_name",
    "var_label",
]
LAST_DAY = date(2026, 3, 16)


def workbook(sheets: dict[str, list[list[str]]]) -> bytes:
    """An xlsx; cells that are figures are stored as numbers, others as inline text, empty ones not."""

    def cell(text: str) -> str:
        if not text:
            return "<c/>"
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            return f"<c><v>{text}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'

    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    relations = f"{office}/officeDocument/2006/relationships"
    types, names, targets, parts = "", "", "", {}
    for number, (name, rows) in enumerate(sheets.items(), start=1):
        lines = "".join(f"<row>{''.join(cell(text) for text in row)}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'
        )
        names += f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"/>'
        targets += f'<Relationship Id="r{number}" Type="{relations}/worksheet" Target="worksheets/sheet{number}.xml"/>'
    types += '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    types += (
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    )
    parts |= {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f"{targets}</Relationships>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)  # the same bytes each time
    return out.getvalue()


def _answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
    last = min(clock or LAST_DAY, LAST_DAY)
    days = [last - timedelta(n) for n in range(30, -1, -1)]
    rows = [[f"{day:%Y%m%d}", "", "", "", "", f"{day} 00:00:00"] for day in days]
    return 200, "application/vnd.ms-excel", workbook({"Sheet1": [HEADER, *rows]})


def routes() -> list[tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes]]]]:
    return [(HOST, PATH, _answer)]
