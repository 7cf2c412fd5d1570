"""CME's daily reports of metal in COMEX depositories and warehouses, one old-format workbook per metal.

Licensed for personal use only (see the source's terms). The layout is only loosely documented, so cells are found
by their labels, not by position. Each report covers one day; the URL always serves the latest.
"""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import Expect, Parsed, Request, _cells, _html, _sheets

SOURCE = "cme_stocks"
URL = "https://www.cmegroup.com/delivery_reports/"
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0"
MAX_BYTES = 5_000_000  # the reports have about 60 kB
ACTIVITY, REPORT = "activity date", "report date"
VALUE_HEADING = "total today"
PLEDGED = "total pledged"
UNITS = ("troy ounce", "short ton", "metric ton", "pound")
DATE_FORMATS = ("%m/%d/%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%m/%d/%y")
DATED = re.compile(r"\d[\d/:\- ]*\d")

WORKBOOK = Expect(
    starts_with=(OLE_SIGNATURE,),  # a refusal is HTML; an xlsx under this name would be a new format
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per workbook. Names are case-sensitive ("Silver_stocks.xls")."""
    files = dict.fromkeys(str(series.select["file"]) for series in catalog.series_of(SOURCE))
    return [Request(key=file, url=f"{URL}{file}.xls", expect=WORKBOOK) for file in files]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Stocks at the end of the activity date in the report's own unit: copper short tons, gold and silver troy ounces.

    `period` is the activity date, to which the stocks refer; the report date is the day of publication. A figure is in
    the row of its label and the column "TOTAL TODAY". Rows that do not add up are rejected together: the total is
    registered plus eligible metal, with or without pledged metal.

    Raises BadPayload if the body is not a workbook of the old format, states no activity date (or one after the report
    date), lacks that column, or is in another unit.
    """
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["file"] == key]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    texts, numbers = _sheet(body, key)
    activity, reported = (_stated_date(texts, label) for label in (ACTIVITY, REPORT))
    if activity is None or (reported is not None and activity > reported):
        raise BadPayload(f"{key}: activity date {activity}, report date {reported}", source=SOURCE)
    unit = str(wanted[0].select["unit"])
    stated = {known for row in texts for cell in row for known in UNITS if known in cell}
    # The catalogue has the documented unit, which is assumed for a sheet that does not state one.
    if stated and stated != {unit}:
        raise BadPayload(f"{key}: is in {', '.join(sorted(stated))}, not in {unit}", source=SOURCE)
    head = next((i for i, row in enumerate(texts) if VALUE_HEADING in row), None)
    if head is None:
        raise BadPayload(f"{key}: no column '{VALUE_HEADING}'", source=SOURCE, todo="open the workbook")
    column = texts[head].index(VALUE_HEADING)

    cells, rejects, figures = [], [], {}
    for series in wanted:
        label = _normal(str(series.select["row"]))
        lines = [i for i in range(head + 1, len(texts)) if _label(texts[i]) == label]
        if len(lines) == 1:
            text, number = texts[lines[0]][column], numbers[lines[0]][column]
            figures[label] = number if number is not None else _number(text)
            cells.append(
                (series.id, activity, _html.without_thousands(text) or None, number, f"{key} row {lines[0] + 1}")
            )
        else:
            rejects.append(_cells.rejected(series.id, key, f"{len(lines)} rows '{series.select['row']}'"))
    pledged = next((numbers[i][column] for i in range(head + 1, len(texts)) if _label(texts[i]) == PLEDGED), None)
    problem = _does_not_add_up(wanted, figures, pledged or 0.0)
    if problem:
        rejects += [_cells.rejected(series_id, row, problem) for series_id, *_, row in cells]
        cells = []
    if not cells and not problem:
        raise BadPayload(f"{key}: none of the {len(wanted)} catalogued rows is there", source=SOURCE)
    schema = {"series_id": pl.String, "period": pl.Date, "text": pl.String, "number": pl.Float64, "row": pl.String}
    parsed = _cells.read(
        pl.DataFrame(cells, schema=schema, orient="row").with_columns(
            period_text=pl.col("period").dt.to_string("%Y-%m-%d")
        )
    )
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _sheet(body: bytes, key: str) -> tuple[list[list[str]], list[list[float | None]]]:
    """The cells of the first sheet, twice: as normalised text ("" if empty) and as stored numbers (else None)."""
    if not body.startswith(OLE_SIGNATURE) or len(body) > MAX_BYTES:
        raise BadPayload(f"{key}: not a workbook of the old format of at most {MAX_BYTES} bytes", source=SOURCE)
    sheets = _sheets.read(body, SOURCE, only=0)
    if not sheets:
        raise BadPayload(f"{key}: the first sheet is empty", source=SOURCE)
    text, number = sheets[0].texts, sheets[0].numbers
    return [[_normal(cell) for cell in row] for row in text.rows()], [list(row) for row in number.rows()]


def _normal(cell: str | None) -> str:
    return " ".join((cell or "").split()).casefold()


def _label(row: list[str]) -> str:
    """The first cell with text, without a remark in brackets: copper's rows are "Total Registered (warranted)"."""
    return re.sub(r"\s*\([^)]*\)", "", next((cell for cell in row if cell), ""))


def _number(text: str) -> float | None:
    try:
        return float(_html.without_thousands(text))
    except ValueError:
        return None


def _stated_date(texts: list[list[str]], label: str) -> date | None:
    """The date after a label, in the same cell ("activity date: 10/8/2026") or in the next cell with text."""
    for row in texts:
        for position, cell in enumerate(row):
            if label not in cell:
                continue
            for candidate in (cell.partition(label)[2], *row[position + 1 :]):
                found = DATED.search(candidate)
                for form in DATE_FORMATS if found else ():
                    try:
                        return datetime.strptime(found.group(0), form).date()  # type: ignore[union-attr]  # noqa: DTZ007
                    except ValueError:
                        continue
    return None


def _does_not_add_up(wanted: list[Series], figures: dict[str, float | None], pledged: float) -> str | None:
    """Why total, registered and eligible contradict each other; None where they agree or one of them is missing."""
    by_part = {str(series.select["part"]): figures.get(_normal(str(series.select["row"]))) for series in wanted}
    total, registered, eligible = (by_part.get(part) for part in ("total", "registered", "eligible"))
    if total is None or registered is None or eligible is None:
        return None
    # Pledged gold has its own line; whether the total counts it in addition to registered metal or as part of it is not
    # documented, so either sum is accepted.
    if any(abs(total - registered - eligible - beside) <= 1.5 for beside in (0.0, pledged)):
        return None
    return f"total {total:g} is not registered {registered:g} and eligible {eligible:g} (pledged {pledged:g})"
