"""OMB historical tables 1.1 and 1.2: federal receipts, outlays and balance by fiscal year, in dollars and of GDP.

Each budget brings a new edition, at a URL with the month of its upload; so the URLs are read from the page of the
tables in every run. Years that had not ended when an edition appeared are estimates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import partial
from urllib.parse import urljoin

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells, _sheets

SOURCE = "omb"
PAGE_URL = "https://www.whitehouse.gov/omb/information-resources/budget/historical-tables/"
# The unit of each table's figures, as printed above its header.
TABLES = {"hist01z1": "in millions of dollars", "hist01z2": "as percentages of gdp"}

LINK = re.compile(r"""href\s*=\s*["']([^"'<>\s]*/(hist01z[12])_fy(\d{4}|\d{2})(?:[-_][^"'/<>\s]*)?\.xlsx)["']""", re.I)
KEY = re.compile(r"(hist01z[12])_fy(\d{4})")
NAMES = {"receipts": "receipts", "outlays": "outlays", "balance": "surplus or deficit"}
GROUP = "total"  # the groups on-budget and off-budget have columns of the same names
HEADER_SEARCH_ROWS = 12

YEAR = r"^(\d{4})(?:\.0+)?$"  # years are text in some editions, numbers in others
ESTIMATE = r"^\d{4}\W+est"
# Rows that are not years: sums of early decades, and the transition quarter of July to September 1976.
NO_YEAR = r"^(\d{4}\s*[-–—]\s*\d{4}|tq.*|(1976\W+)?transition(al)? quarter.*)$"
# Dots mean no amount; an asterisk is a share below 0.05, which is not printed.
NO_FIGURE = r"^(\.+|-?\*+)$"
# The last year that has ended when a budget appears: the budget of fiscal year 2027 (April 2026) ends with 2025.
YEARS_TO_EDITION = 2
FIRST_YEAR_FROM_OCTOBER = 1977  # Congressional Budget Act of 1974; until 1976 a fiscal year began on 1 July

PAGE = Expect(starts_with=(b"<",))
# An HTML error page has status 200 too.
WORKBOOK = Expect(starts_with=(_sheets.ZIP,))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """The page of the tables, then the workbooks that it links to."""
    tables = [name for name in TABLES if any(s.select["table"] == name for s in catalog.series_of(SOURCE))]
    links = partial(_workbook_requests, tables)
    return [Request(key="historical-tables", url=PAGE_URL, expect=PAGE, land=False, then=links)]


def _workbook_requests(tables: list[str], page: bytes) -> list[Request]:
    """The newest edition of each of `tables` among the links of the page; the edition is part of the key.

    Raises BadPayload if a table has no link with its edition in the name, or two for the same edition.
    """
    requests = []
    links = [
        (name.lower(), int(edition) + (2000 if len(edition) == 2 else 0), urljoin(PAGE_URL, url))
        for url, name, edition in LINK.findall(page.decode("utf-8", "replace"))
    ]
    for table in tables:
        editions = {url: edition for name, edition, url in links if name == table}
        if not editions:
            raise BadPayload(
                f"{PAGE_URL} links no {table}_fy<year>.xlsx",
                source=SOURCE,
                todo="open the page; if the workbooks moved or were renamed, update LINK in this module",
            )
        newest = [url for url, edition in editions.items() if edition == max(editions.values())]
        if len(newest) > 1:
            raise BadPayload(f"{PAGE_URL} links {len(newest)} files of one edition: {', '.join(newest)}", source=SOURCE)
        requests.append(Request(key=f"{table}_fy{max(editions.values())}", url=newest[0], expect=WORKBOOK))
    return requests


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Totals by fiscal year in the unit of the table, a deficit below zero; `period` is the first day of the year.

    From fiscal year 1977 that is 1 October of the previous year; until 1976 it was 1 July. The transition quarter, the
    sums of early decades and rows labelled as estimates are skipped. A year that had not ended when the edition
    appeared, but is not labelled as an estimate, is rejected.

    Raises BadPayload if the body is not a workbook, its title does not name the table's unit, it has no header with the
    totals near its top or no year below it, or no catalogued series reads the table.
    """
    match = KEY.fullmatch(key)
    table = match[1] if match else ""
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["table"] == table]
    if match is None or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    sheets = _sheets.read(body, SOURCE)
    if not sheets:
        raise BadPayload(f"{table}: the workbook is empty", source=SOURCE)
    texts, numbers = sheets[0].texts, sheets[0].numbers
    header = _header(texts, table)
    rows = _rows(texts, header)
    late = _late(rows, int(match[2]) - YEARS_TO_EDITION)
    if rows.filter(pl.col("year").is_not_null()).is_empty():
        raise BadPayload(f"{table}: no fiscal year stands below the header", source=SOURCE)

    frames, rejects = [], []
    for series in wanted:
        position = header.columns[str(series.select["column"])]
        cells = _column_cells(series, table, position, rows, texts, numbers)
        rejects.append(
            cells.join(late, on="line", how="inner", maintain_order="left")
            .with_columns(series_id=pl.lit(series.id))
            .select(REJECT.keys())
        )
        frames.append(cells.join(late, on="line", how="anti", maintain_order="left").select(_cells.CELL.keys()))
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


@dataclass(frozen=True)
class _Header:
    columns: dict[str, int]  # receipts, outlays, balance: position
    row: int  # 0-based; figures are below


def _header(texts: pl.DataFrame, table: str) -> _Header:
    """The row of names and the columns of the totals; found by content."""
    top = [[_normal(cell) for cell in row] for row in texts.head(HEADER_SEARCH_ROWS).rows()]
    for index, cells in enumerate(top):
        if "receipts" not in cells or "outlays" not in cells:
            continue
        title = " ".join(cell for row in top[:index] for cell in row if cell)
        if TABLES[table] not in title:
            raise BadPayload(
                f"{table}: its title '{title[:120]}' does not say '{TABLES[table]}'",
                source=SOURCE,
                todo="open the workbook; the unit or the numbering of the tables may have changed",
            )
        groups = _groups(top[:index])
        columns = {
            column: [i for i, cell in enumerate(cells) if cell.startswith(name) and groups[i] == GROUP]
            for column, name in NAMES.items()
        }
        unclear = [column for column, positions in columns.items() if len(positions) != 1]
        if unclear:
            raise BadPayload(f"{table}: not one column of totals for {', '.join(unclear)}", source=SOURCE)
        return _Header({column: positions[0] for column, positions in columns.items()}, index)
    raise BadPayload(
        f"{table}: no row of names (receipts, outlays) near the top",
        source=SOURCE,
        todo="open the workbook; if its layout changed, update this module",
    )


def _groups(rows: list[list[str]]) -> list[str]:
    """The group label of each column: from the nearest row above with the totals, repeated over merged cells."""
    for row in reversed(rows):
        if GROUP in row:
            carried, label = [], ""
            for cell in row:
                label = cell or label
                carried.append(label)
            return carried
    return [""] * (len(rows[0]) if rows else 1000)


def _normal(cell: str | None) -> str:
    return " ".join((cell or "").split()).casefold()


def _rows(texts: pl.DataFrame, header: _Header) -> pl.DataFrame:
    """One row per line below the header that is, or may be, a year: `line` (1-based), `label`, `year`, `period`."""
    label = pl.col("label")
    start_month = pl.when(pl.col("year") >= FIRST_YEAR_FROM_OCTOBER).then(10).otherwise(7)
    return (
        pl.DataFrame({"label": texts.to_series(0)}, schema={"label": pl.String})
        .with_row_index("line", offset=1)
        .filter(pl.col("line") > header.row + 1)
        .with_columns(label.fill_null("").str.strip_chars().str.replace_all(r"\s+", " "))
        .filter(~label.str.to_lowercase().str.contains(NO_YEAR), ~label.str.to_lowercase().str.contains(ESTIMATE))
        .with_columns(year=label.str.extract(YEAR).cast(pl.Int32))
        .with_columns(period=pl.date(pl.col("year") - 1, start_month, 1))
    )


def _late(rows: pl.DataFrame, last_year: int) -> pl.DataFrame:
    """Lines of years that had not ended when the edition appeared, with the reason for their rejection."""
    reason = pl.format(f"fiscal year {{}} is not labelled an estimate, but had not ended: {last_year} had", "year")
    return rows.filter(pl.col("year") > last_year).select("line", reason=reason)


def _column_cells(
    series: Series, table: str, position: int, rows: pl.DataFrame, texts: pl.DataFrame, numbers: pl.DataFrame
) -> pl.DataFrame:
    """The cells of one column (as in `_cells.CELL`, and `line`), without lines that have no year and no figure."""
    text = pl.col("text").str.strip_chars()
    column = pl.DataFrame(
        {"text": texts.to_series(position), "number": numbers.to_series(position)},
        schema={"text": pl.String, "number": pl.Float64},
    ).with_row_index("line", offset=1)
    return (
        rows.join(column, on="line", how="left", maintain_order="left")
        .filter(pl.col("year").is_not_null() | pl.col("number").is_not_null())
        .select(
            pl.lit(series.id).alias("series_id"),
            pl.col("label").alias("period_text"),
            "period",
            pl.when(text.str.contains(NO_FIGURE)).then(None).otherwise(pl.col("text")).alias("text"),
            "number",
            pl.format(f"{table} row {{}}, {series.select['column']}", "line").alias("row"),
            "line",
        )
    )
