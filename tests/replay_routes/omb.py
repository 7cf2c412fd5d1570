"""OMB historical tables 1.1 and 1.2: documented shape, not recorded.

A page that links two editions, and workbooks of a few years each. The figures stand for the shape (a balance is
receipts less outlays), not for the tables. `workbook`, `sheet` and `page` are used by the unit tests as well.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from xml.sax.saxutils import escape

HOST = "www.whitehouse.gov"
PAGE = "/omb/information-resources/budget/historical-tables/"
UPLOADS = {2026: "/wp-content/uploads/2025/06", 2027: "/wp-content/uploads/2026/04"}
PUBLISHED = {2026: date(2025, 6, 15), 2027: date(2026, 4, 15)}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

NAMES = ["Receipts", "Outlays", "Surplus or\nDeficit (–)"]
TITLES = {
    "hist01z1": [
        ["Table 1.1—SUMMARY OF RECEIPTS, OUTLAYS, AND SURPLUSES OR DEFICITS (–)"],
        ["(in millions of dollars)"],
    ],
    "hist01z2": [["Table 1.2—SUMMARY OF RECEIPTS, OUTLAYS, AND SURPLUSES OR DEFICITS (–) AS PERCENTAGES OF GDP"]],
}
HEADERS = {
    "hist01z1": [
        ["Fiscal Year", "Total", "", "", "On-Budget", "", "", "Off-Budget", "", ""],
        ["", *NAMES, *NAMES, *NAMES],
    ],
    "hist01z2": [
        ["Year", "GDP (in billions\nof dollars)", "Total", "", "", "On-Budget", "", "", "Off-Budget", "", ""],
        ["", "", *NAMES, *NAMES, *NAMES],
    ],
}
DOTS = ".........."
ROWS = {
    "hist01z1": [
        ["1789–1849", "1160", "1090", "70", "1160", "1090", "70", DOTS, DOTS, DOTS],
        ["1901", "588", "525", "63", "588", "525", "63", DOTS, DOTS, DOTS],
        ["1943", "24001", "78555", "-54554", "22871", "78466", "-55595", "1130", "89", "1041"],
        ["1976", "298060", "371792", "-73732", "231671", "301098", "-69427", "66389", "70694", "-4305"],
        ["TQ", "81232", "95975", "-14743", "63216", "77281", "-14065", "18016", "18694", "-678"],
        ["1977", "355559", "409218", "-53659", "278741", "328675", "-49934", "76818", "80543", "-3725"],
        ["2000", "2025191", "1788950", "236241", "1544607", "1458185", "86422", "480584", "330765", "149819"],
        ["2020", "3421164", "6553620", "-3132456", "2455736", "5598037", "-3142301", "965428", "955583", "9845"],
    ],
    "hist01z2": [
        ["1943", "184.2", "13", "42.6", "-29.6", "12.4", "42.6", "-30.2", "0.6", "*", "0.6"],
        ["1976", "1783.7", "16.7", "20.8", "-4.1", "13", "16.9", "-3.9", "3.7", "4", "-0.2"],
        ["TQ", "471.7", "17.2", "20.3", "-3.1", "13.4", "16.4", "-3", "3.8", "4", "-0.1"],
        ["1977", "2020.8", "17.6", "20.3", "-2.7", "13.8", "16.3", "-2.5", "3.8", "4", "-0.2"],
        ["2000", "10117.4", "20", "17.7", "2.3", "15.3", "14.4", "0.9", "4.8", "3.3", "1.5"],
        ["2020", "21276.2", "16.1", "30.8", "-14.7", "11.5", "26.3", "-14.8", "4.5", "4.5", "*"],
    ],
}
ESTIMATES = {
    "hist01z1": [["2026 estimate", "5600000", "7600000", "-2000000", "1", "1", "0", "1", "1", "0"]],
    "hist01z2": [["2026 estimate", "32000", "17.5", "23.7", "-6.2", "1", "1", "0", "1", "1", "0"]],
}
NOTES = [
    [""],
    ["* 0.05 percent or less."],
    ["Note: Budget figures prior to 1933 are based on the Administrative Budget."],
]


def sheet(table: str, years: list[list[str]] | None = None) -> list[list[str]]:
    return [*TITLES[table], *HEADERS[table], *(ROWS[table] if years is None else years), *NOTES]


def workbook(rows: list[list[str]], sheet_name: str = "Table") -> bytes:
    """An xlsx with one sheet. The first column is text (as OMB stores its years); figures elsewhere are numbers."""

    def cell(text: str, line: int, position: int) -> str:
        reference = f"{chr(65 + position)}{line}"
        if not text:
            return ""
        if position and text.removeprefix("-").replace(".", "", 1).isdigit():
            return f'<c r="{reference}"><v>{text}</v></c>'
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'

    lines = "".join(
        f'<row r="{n}">{"".join(cell(text, n, i) for i, text in enumerate(row))}</row>' for n, row in enumerate(rows, 1)
    )
    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    relations = f"{office}/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
        f'<sheet name="{sheet_name}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def page(*links: str) -> bytes:
    """The page of the tables with these links among others."""
    items = "".join(f'<li><a href="{link}">Table</a></li>' for link in links)
    return f"<!DOCTYPE html><html><body><h1>Historical Tables</h1><ul>{items}</ul></body></html>".encode()


def _page(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
    editions = [edition for edition, day in PUBLISHED.items() if clock is None or day <= clock]
    links = [f"https://{HOST}{UPLOADS[e]}/{table}_fy{e}.xlsx" for e in editions for table in (*TITLES, "hist01z3")]
    return 200, "text/html; charset=utf-8", page(*links)


def _table(table: str) -> Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes]]:
    def answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> tuple[int, str, bytes]:
        return 200, XLSX, workbook(sheet(table, [*ROWS[table], *ESTIMATES[table]]))

    return answer


def routes() -> list[tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], tuple[int, str, bytes]]]]:
    tables = [(HOST, rf"/wp-content/uploads/\d{{4}}/\d\d/{table}_fy\d{{4}}\.xlsx", _table(table)) for table in TITLES]
    return [(HOST, PAGE, _page), *tables]
