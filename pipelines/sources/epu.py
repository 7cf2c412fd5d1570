"""Economic Policy Uncertainty (Baker, Bloom and Davis): monthly and daily for the United States, monthly for China.

Three files with year, month and day in separate columns. The workbooks end with a row of text that names the source;
the last weeks of the daily file are revised.
"""

from __future__ import annotations

import csv
import io
from datetime import date

import polars as pl

from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells, _sheets

SOURCE = "epu"
FILES_URL = "https://www.policyuncertainty.com/media"

# A workbook may have either extension: the China file has been published with both.
FILE = Expect(starts_with=(b"",))
DATE_COLUMNS = {Frequency.MONTHLY: ("year", "month"), Frequency.DAILY: ("year", "month", "day")}


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per file that a catalogued series reads."""
    files = dict.fromkeys(str(series.select["file"]) for series in catalog.series_of(SOURCE))
    return [Request(key=name, url=f"{FILES_URL}/{name}", expect=FILE) for name in files]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Index values by month or day, in the index of each series.

    Columns are found by name, ignoring case, in the first sheet that has both the column and the date columns. A row
    without a numeric year and without a figure is a note and is skipped. A missing column is a reject for its series
    alone.

    Raises BadPayload for an HTML page, a body that is neither a workbook nor a CSV, a file without any catalogued
    column, and a key of no catalogued series.
    """
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["file"] == key]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    workbook = body.startswith((_sheets.ZIP, _sheets.OLE))
    frames, rejects = [], []
    if workbook:
        sheets = _sheets.read(body, SOURCE)
    else:
        table, cut = _table(body, key)
        sheets = [table]
        if cut:
            rejects.append(_cells.rejected(None, f"{key}: {cut}", "the last line has no end: its figure may be cut"))
    for series in wanted:
        column, dates = str(series.select["column"]), DATE_COLUMNS[series.frequency]
        for sheet in sheets:
            names = [(cell or "").strip().casefold() for cell in sheet.texts.row(0)]
            if all(names.count(name) == 1 for name in (*dates, column.casefold())):
                frames.append(_column_cells(series, sheet, names))
                break
        else:
            where = f"column '{column}' beside {', '.join(dates)}"
            rejects.append(_cells.rejected(series.id, key, f"no sheet has one {where}"))
    if not frames:
        raise BadPayload(
            f"{key}: {rejects[-1]['reason'][0]}",
            source=SOURCE,
            todo="open the file; if its columns were renamed, update pipelines/catalog/series/epu.yaml",
        )
    cells = pl.concat(frames)
    if cells.is_empty():
        raise BadPayload(f"{key}: a header without rows", source=SOURCE)
    parsed = _cells.read(cells)
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(frame.select(REJECT.keys()) for frame in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def _table(body: bytes, key: str) -> tuple[_sheets.Sheet, str]:
    """A CSV as a sheet without stored numbers. Short rows are padded with empty cells.

    A last line without a line end is left out and returned separately, because its figure may be truncated. It is not
    known whether this publisher ends its last line, so the rest of the file is read.
    """
    text = body.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("<"):
        raise BadPayload(f"{key}: an HTML page in place of a CSV", source=SOURCE, todo="try again later")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise BadPayload(f"{key}: not a CSV: {error}", source=SOURCE) from None
    width = max((len(row) for row in rows), default=0)
    if width < 2:
        raise BadPayload(f"{key}: not a CSV of several columns", source=SOURCE)
    is_cut = not body.endswith((b"\n", b"\r")) and rows[-1][0].strip().isdigit()
    cut = ",".join(rows.pop()) if is_cut else ""
    names = [str(position) for position in range(width)]
    padded = [[*row, *[None] * (width - len(row))] for row in rows]
    texts = pl.DataFrame(padded, schema=dict.fromkeys(names, pl.String), orient="row")
    numbers = pl.DataFrame({name: [None] * len(rows) for name in names}, schema=dict.fromkeys(names, pl.Float64))
    return _sheets.Sheet(key, texts, numbers), cut


def _column_cells(series: Series, sheet: _sheets.Sheet, names: list[str]) -> pl.DataFrame:
    position = names.index(str(series.select["column"]).casefold())
    parts = DATE_COLUMNS[series.frequency]
    table = pl.DataFrame(
        {
            **{name: sheet.texts.to_series(names.index(name))[1:] for name in parts},
            "text": sheet.texts.to_series(position)[1:],
            "number": sheet.numbers.to_series(position)[1:],
        },
        schema={**dict.fromkeys(parts, pl.String), "text": pl.String, "number": pl.Float64},
    ).with_row_index("line", offset=2)
    # "2025", or "2025.0" if written as a float; zero-padding makes "2025-1-1" a valid date.
    figures = [pl.col(name).str.strip_chars().str.extract(r"^(\d{1,4})(?:\.0*)?$") for name in parts]
    day = [] if len(parts) == 3 else [pl.lit("1")]
    printed = pl.concat_str([f.str.zfill(2) for f in (*figures, *day)], separator="-")
    no_figure = pl.col("number").is_null() & ~pl.col("text").str.contains(r"\S").fill_null(False)
    return table.filter(~(no_figure & figures[0].is_null())).select(
        pl.lit(series.id).alias("series_id"),
        pl.concat_str([pl.col(name).fill_null("") for name in parts], separator="-").alias("period_text"),
        printed.str.to_date("%Y-%m-%d", strict=False).alias("period"),
        "text",
        "number",
        pl.format(f"{sheet.name}!{_sheets.letters(position)}{{}}", "line").alias("row"),
    )
