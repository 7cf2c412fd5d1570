"""eastmoney data centre: China's money supply, prices, customs, industry and purchasing managers, a JSON report each.

An undocumented API: the envelope is fully checked, because a refusal, an empty result and a truncated page all have
status 200.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "eastmoney"
URL = "https://datacenter-web.eastmoney.com/api/data/v1/get"
PAGE_SIZE = 2000  # monthly reports since 2006 have under 300 rows, so one page holds a report
PAGE_MARK = "/page"
PAGES, COUNT = (
    re.compile("[0-9]{1,2}"),
    re.compile("[0-9]{1,6}"),
)  # bounds the number of pages, each of which causes a request

REPORT = Expect(
    starts_with=(b"{",),
    contains=(b'"result"',),  # "success" comes after the rows, beyond the bytes that are checked
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per report, and further pages if the API returns fewer rows per page than requested."""
    reports = dict.fromkeys(str(series.select["report"]) for series in catalog.series_of(SOURCE))
    return [_request(report, page=1) for report in reports]


def _request(report: str, page: int) -> Request:
    def further(body: bytes) -> list[Request]:
        pages, _, _ = _envelope(body, report, page)
        return [_request(report, number) for number in range(2, pages + 1)]

    return Request(
        key=report if page == 1 else f"{report}{PAGE_MARK}{page}",
        url=URL,
        expect=REPORT,
        params=(
            ("reportName", report),
            ("columns", "ALL"),
            ("pageNumber", str(page)),
            ("pageSize", str(PAGE_SIZE)),
            ("sortColumns", "REPORT_DATE"),
            ("sortTypes", "-1"),
            ("source", "WEB"),
            ("client", "WEB"),
        ),
        then=further if page == 1 else None,
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly figures of one report, in the unit of each series, as printed.

    A field that no row of the report has is one reject, for its series alone. A null is a missing value.

    Raises BadPayload if the body is not JSON, reports no success, has no result, a number of rows other than its count,
    a duplicate month, or belongs to a report of no catalogued series.
    """
    report, _, page = key.partition(PAGE_MARK)
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["report"] == report]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    number = int(page or 1)
    pages, count, rows = _envelope(body, report, number)
    # With several pages, the page size is the API's own; any page but the last shows it.
    whole = (
        len(rows) == count if pages == 1 else number == pages or (pages - 1) * len(rows) < count <= pages * len(rows)
    )
    if not whole:
        raise BadPayload(f"{report}: page {number} of {pages} has {len(rows)} rows of {count}", source=SOURCE)
    dates = [_printed(row.get("REPORT_DATE")) for row in rows]
    if len(set(dates)) != len(dates):
        raise BadPayload(f"{report}: a REPORT_DATE is on more than one row", source=SOURCE)

    frames, rejects = [], []
    for series in wanted:
        field = str(series.select["field"])
        if any(field in row for row in rows):
            frames.append(_field_cells(series.id, field, dates, rows))
        else:
            found = ", ".join(sorted(rows[0]))
            rejects.append(_cells.rejected(series.id, report, f"no row has the field {field}; the first has {found}"))
    if not frames:
        raise BadPayload(f"{report}: none of the catalogued fields is there", source=SOURCE)
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _field_cells(series_id: str, field: str, dates: list[str | None], rows: list[dict[str, Any]]) -> pl.DataFrame:
    texts = [_printed(row[field]) if field in row else "(field absent)" for row in rows]
    return pl.DataFrame(
        {"period_text": dates, "text": texts},
        schema={"period_text": pl.String, "text": pl.String},
    ).select(
        pl.lit(series_id).alias("series_id"),
        "period_text",
        # "2026-05-01 00:00:00": the first day of the month; anything else is not one of these monthly reports.
        pl.col("period_text")
        .str.extract(r"^(\d{4}-\d{2}-01)(?: 00:00:00)?$")
        .str.to_date(strict=False)
        .alias("period"),
        "text",
        pl.lit(None, dtype=pl.Float64).alias("number"),
        pl.format(f"{field} at {{}}", pl.col("period_text").fill_null("null")).alias("row"),
    )


def _printed(cell: Any) -> str | None:
    """A JSON value as printed in the payload; numbers are already text."""
    return cell if cell is None or isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def _envelope(body: bytes, report: str, page: int) -> tuple[int, int, list[dict[str, Any]]]:
    """Pages of the report, rows of the report and the rows of this page, numbers kept as printed text."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{report}: not JSON: {error}", source=SOURCE) from None
    if not isinstance(document, dict) or document.get("success") is not True or document.get("code") != "0":
        told = document.get("message") if isinstance(document, dict) else None
        raise BadPayload(f"{report}: no success: {told or 'no message'}", source=SOURCE, todo="try again later")
    result = document.get("result")
    if not isinstance(result, dict):
        raise BadPayload(f"{report}: success without a result", source=SOURCE, todo="try again later")
    rows = result.get("data")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadPayload(f"{report}: success without rows", source=SOURCE, todo="try again later")
    pages, count = (str(result.get(name, "")) for name in ("pages", "count"))
    if not (PAGES.fullmatch(pages) and COUNT.fullmatch(count) and 1 <= page <= int(pages)):
        raise BadPayload(f"{report}: page {page} of pages '{pages}', count '{count}'", source=SOURCE)
    return int(pages), int(count), rows
