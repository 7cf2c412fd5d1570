"""Trade Policy Uncertainty (Caldara, Iacoviello, Molligo, Prestipino, Raffo): one workbook, monthly and daily sheets.

Sheets are found by their columns: their names have changed.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells, _sheets

SOURCE = "tpu"
URL = "https://www.matteoiacoviello.com/tpu_files/tpu_web_latest.xlsx"
KEY = "tpu_web_latest"
DATE_COLUMN = "DATE"  # DATEQ is that of the quarterly sheet
HEADER_SEARCH_ROWS = 10  # names are currently in the first row

WORKBOOK = Expect(starts_with=(_sheets.ZIP, _sheets.OLE))


def plan(catalog: Catalog, today: date) -> list[Request]:
    return [Request(key=KEY, url=URL, expect=WORKBOOK)]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Index values by month and by day; 100 means one per cent of all articles.

    A column that no sheet, or more than one, has together with a column DATE is a reject for its series alone. A
    monthly figure that is not dated to the first of a month is rejected.

    Raises BadPayload if the body is not a workbook or has none of the catalogued columns.
    """
    sheets = _sheets.read(body, SOURCE)
    frames, rejects = [], []
    wanted = catalog.series_of(SOURCE)
    for series in wanted:
        column = str(series.select["column"])
        places = [(sheet, *place) for sheet in sheets if (place := _header(sheet, column))]
        if len(places) == 1:
            frames.append(_column_cells(series, *places[0]))
        else:
            names = [place[0].name for place in places] or [sheet.name for sheet in sheets]
            found = f"{len(places)} sheets have '{DATE_COLUMN}' and '{column}' in one row; looked at {', '.join(names)}"
            rejects.append(_cells.rejected(series.id, KEY, found))
    if not frames:
        raise BadPayload(
            f"none of the {len(wanted)} catalogued columns stands beside a column '{DATE_COLUMN}'",
            source=SOURCE,
            todo="open the workbook; if its columns were renamed, update pipelines/catalog/series/tpu.yaml",
        )
    cells = pl.concat(frames)
    if cells.is_empty():
        raise BadPayload("headers without rows", source=SOURCE)
    parsed = _cells.read(cells)
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(frame.select(REJECT.keys()) for frame in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def _header(sheet: _sheets.Sheet, column: str) -> tuple[int, int, int] | None:
    """Row of the names, and positions of the dates and of the column; None if the sheet has no such row."""
    for row, cells in enumerate(sheet.texts.head(HEADER_SEARCH_ROWS).iter_rows()):
        names = [(cell or "").strip() for cell in cells]
        if names.count(DATE_COLUMN) == 1 and names.count(column) == 1:
            return row, names.index(DATE_COLUMN), names.index(column)
    return None


def _column_cells(series: Series, sheet: _sheets.Sheet, header: int, dates: int, position: int) -> pl.DataFrame:
    first = header + 1
    day = (
        pl.col("period_text")
        .str.strip_chars()
        .str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[ T]00:00:00)?$")
        .str.to_date("%Y-%m-%d", strict=False)
    )
    if series.frequency is Frequency.MONTHLY:
        day = pl.when(day.dt.day() == 1).then(day)
    return (
        pl.DataFrame(
            {
                "period_text": sheet.texts.to_series(dates)[first:],
                "text": sheet.texts.to_series(position)[first:],
                "number": sheet.numbers.to_series(position)[first:],
            },
            schema={"period_text": pl.String, "text": pl.String, "number": pl.Float64},
        )
        .with_row_index("line", offset=first + 1)
        .filter(pl.col("period_text").str.contains(r"\S") | pl.col("text").str.contains(r"\S"))
        .select(
            pl.lit(series.id).alias("series_id"),
            "period_text",
            day.alias("period"),
            "text",
            "number",
            pl.format(f"{sheet.name}!{_sheets.letters(position)}{{}}", "line").alias("row"),
        )
    )
