"""UN Comtrade preview: monthly imports of the United States from the whole world, value and net weight.

China has sent no months since December 2024 (a yearly batch came in June 2025): its flows are read from its own customs
office. Every breakdown (second partner, customs procedure, mode of transport) is pinned to its total in the request;
otherwise the API silently returns the breakdown rows beside the totals. Parameters and fields follow the UN's client
library (https://github.com/uncomtrade/comtradeapicall).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "comtrade"
URL = "https://comtradeapi.un.org/public/v1/preview/C/M/HS"
BACKFILL_FROM = (2024, 1)  # the year before the tariffs on metals began to move imports
MAX_RECORDS = 500  # the preview's own limit; a full page may be truncated

# The total of every breakdown, as requested and as required in every row.
TOTALS = {"partnerCode": "0", "partner2Code": "0", "customsCode": "C00", "motCode": "0"}
FLOW = "M"

ANSWER = Expect(starts_with=(b"{",), contains=(b'"data"',))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per reporter and month (the preview accepts one period per call), newest month first.

    No month is closed: offices revise years back, and an answer without rows may be a month not sent or an accident.
    """
    codes: dict[str, dict[str, None]] = {}
    for series in catalog.series_of(SOURCE):
        codes.setdefault(str(series.select["reporter"]), {})[str(series.select["commodity"])] = None
    return [
        _request(reporter, "+".join(sorted(commodities)), year, month)
        for year, month in _months(today)
        for reporter, commodities in codes.items()
    ]


def _months(today: date) -> list[tuple[int, int]]:
    """Whole months before `today`, newest first, back to BACKFILL_FROM."""
    first, last = BACKFILL_FROM[0] * 12 + BACKFILL_FROM[1] - 1, today.year * 12 + today.month - 2
    return [(count // 12, count % 12 + 1) for count in range(last, first - 1, -1)]


def _request(reporter: str, commodities: str, year: int, month: int) -> Request:
    period = f"{year}{month:02}"
    return Request(
        key=f"imports/{reporter}/{commodities}/{period}",
        url=URL,
        expect=ANSWER,
        params=(
            ("reporterCode", reporter),
            ("period", period),
            ("flowCode", FLOW),
            ("cmdCode", commodities.replace("+", ",")),
            *TOTALS.items(),
            ("maxRecords", str(MAX_RECORDS)),
            ("includeDesc", "true"),
        ),
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Value in US dollars or net weight in kilograms of one reporter's month, as printed.

    A commodity without a row (not reported), a null, a weight of zero beside a value (not reported: Comtrade writes 0)
    and a weight that the UN estimated are missing values. The alternative quantity never stands in for a weight: it may
    be another measure, such as the metal in an ore.

    Raises BadPayload for a breakdown row, a duplicate commodity, another reporter, month or flow than requested, a full
    page, or anything but the API's JSON.
    """
    found = re.fullmatch(r"imports/(\d+)/([\d+]+)/(\d{4})(\d{2})", key)
    if not found:
        raise BadPayload(f"the key '{key}' is not of the form imports/reporter/codes/yyyymm", source=SOURCE)
    reporter, codes, year, month = found.groups()
    wanted = [
        series
        for series in catalog.series_of(SOURCE)
        if str(series.select["reporter"]) == reporter and str(series.select["commodity"]) in codes.split("+")
    ]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    rows = _rows(body, key)
    by_code: dict[str, dict[str, Any]] = {}
    expected = {"reporterCode": reporter, "period": year + month, "flowCode": FLOW, **TOTALS}
    for row in rows:
        wrong = {name: row.get(name) for name, value in expected.items() if str(row.get(name)) != value}
        if wrong:
            raise BadPayload(f"{key}: a row that was not requested: {wrong}", source=SOURCE)
        code = str(row.get("cmdCode"))
        if code in by_code:
            raise BadPayload(f"{key}: commodity {code} is on more than one row", source=SOURCE)
        by_code[code] = row
    cells = [(series.id, f"{year}-{month}", _text(by_code, series), f"{key}: {_place(series)}") for series in wanted]
    frame = pl.DataFrame(cells, schema=["series_id", "period_text", "text", "row"], orient="row").with_columns(
        period=pl.lit(date(int(year), int(month), 1)), number=pl.lit(None, dtype=pl.Float64)
    )
    return _cells.read(frame)


def _place(series: Series) -> str:
    return f"{series.select['measure']} of {series.select['commodity']}"


def _text(by_code: dict[str, dict[str, Any]], series: Series) -> str | None:
    """The cell as printed; null if it is missing."""
    row = by_code.get(str(series.select["commodity"]))
    measure = str(series.select["measure"])
    if row is None:
        return None
    if measure not in row:
        raise BadPayload(f"the rows have no '{measure}'", source=SOURCE, series=series.id)
    cell = row[measure]
    if measure == "netWgt" and (row.get("isNetWgtEstimated") is True or re.fullmatch(r"0+(\.0*)?", str(cell))):
        return None
    return None if cell is None else str(cell)


def _rows(body: bytes, key: str) -> list[dict[str, Any]]:
    """The rows of an answer, numbers as printed text."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE) from None
    if not isinstance(document, dict):
        raise BadPayload(f"{key}: not a JSON object", source=SOURCE)
    if document.get("error"):
        raise BadPayload(f"{key}: refused: {str(document['error'])[:200]}", source=SOURCE, todo="try again later")
    rows = document.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadPayload(f"{key}: no list of rows", source=SOURCE)
    if len(rows) >= MAX_RECORDS:
        raise BadPayload(f"{key}: a full page of {len(rows)} rows may be truncated", source=SOURCE)
    if "count" in document and str(document["count"]) != str(len(rows)):
        raise BadPayload(f"{key}: {len(rows)} rows, but a count of {document['count']}", source=SOURCE)
    return rows
