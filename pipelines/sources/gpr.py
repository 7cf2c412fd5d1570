"""Geopolitical Risk (Caldara and Iacoviello): the monthly workbook and the recent daily one.

The files have two indices on different bases: GPR (ten newspapers, since 1985) and GPRH (three, since 1900). Each
edition replaces the whole file, including its history.
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells, _sheets

SOURCE = "gpr"
FILES_URL = "https://www.matteoiacoviello.com/gpr_files"
DATE_COLUMNS = ("month", "date", "DAY")  # monthly file: month; daily file: date and DAY
LABEL_NAME, LABEL_TEXT = "var_name", "var_label"  # trailing columns that describe the others
BASE = re.compile(r"\d{4}:\d{4}\s*=\s*100")

WORKBOOK = Expect(starts_with=(_sheets.OLE, _sheets.ZIP))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per file that a catalogued series reads."""
    files = dict.fromkeys(str(series.select["file"]) for series in catalog.series_of(SOURCE))
    return [Request(key=name, url=f"{FILES_URL}/{name}.xls", expect=WORKBOOK) for name in files]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Index values by month or day. Empty cells (GPR before 1985) are missing.

    A column is found by its name. If it is missing, duplicate, or described by the workbook as an index on another base
    than the catalogue's, it is a reject for its series alone.

    Raises BadPayload if the body is not a workbook, if no sheet has both a column of dates and a catalogued column, or
    for a key of no catalogued series.
    """
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["file"] == key]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    columns = {str(series.select["column"]) for series in wanted}
    for sheet in _sheets.read(body, SOURCE):
        header = [(cell or "").strip() for cell in sheet.texts.row(0)]
        dates = next((name for name in DATE_COLUMNS if header.count(name) == 1), None)
        if dates and columns & set(header):
            break
    else:
        raise BadPayload(
            f"no sheet of {key} has a column of dates beside one of {', '.join(sorted(columns))}",
            source=SOURCE,
            todo="open the workbook; if its columns were renamed, update pipelines/catalog/series/gpr.yaml",
        )

    labels = _labels(sheet, header)
    frames, rejects = [], []
    for series in wanted:
        problem = _problem(series, header, labels)
        if problem:
            rejects.append(_cells.rejected(series.id, f"{sheet.name}!1", problem))
        else:
            frames.append(_column_cells(series, sheet, header.index(dates), header.index(str(series.select["column"]))))
    if not frames:
        raise BadPayload(f"{key}: none of the catalogued columns can be read: {rejects[0]['reason'][0]}", source=SOURCE)
    cells = pl.concat(frames)
    if cells.is_empty():
        raise BadPayload(f"{key}: a header without rows", source=SOURCE)
    parsed = _cells.read(cells)
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(frame.select(REJECT.keys()) for frame in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def _labels(sheet: _sheets.Sheet, header: list[str]) -> dict[str, str]:
    """The workbook's own description of its columns, if it has one."""
    if header.count(LABEL_NAME) != 1 or header.count(LABEL_TEXT) != 1:
        return {}
    names, texts = (sheet.texts.to_series(header.index(name))[1:] for name in (LABEL_NAME, LABEL_TEXT))
    return {name.strip(): text for name, text in zip(names, texts, strict=True) if name and text}


def _problem(series: Series, header: list[str], labels: dict[str, str]) -> str | None:
    column, base = str(series.select["column"]), series.select.get("base")
    if header.count(column) != 1:
        return f"{header.count(column)} columns '{column}'"
    found = BASE.search(labels.get(column, ""))
    if base and found and found.group(0).replace(" ", "") != base:
        return f"column '{column}' is described as '{labels[column]}', not on the base {base}"
    return None


def _column_cells(series: Series, sheet: _sheets.Sheet, dates: int, position: int) -> pl.DataFrame:
    period_text = pl.col("period_text").str.strip_chars()
    day = pl.coalesce(
        # "1985-01-01 00:00:00" of a cell formatted as a date, or the number 19850101 of the column DAY
        period_text.str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[ T]00:00:00)?$").str.to_date("%Y-%m-%d", strict=False),
        period_text.str.extract(r"^(\d{8})(?:\.0*)?$").str.to_date("%Y%m%d", strict=False),
    )
    if series.frequency is Frequency.MONTHLY:
        day = pl.when(day.dt.day() == 1).then(day)
    return (
        pl.DataFrame(
            {
                "period_text": sheet.texts.to_series(dates)[1:],
                "text": sheet.texts.to_series(position)[1:],
                "number": sheet.numbers.to_series(position)[1:],
            },
            schema={"period_text": pl.String, "text": pl.String, "number": pl.Float64},
        )
        .with_row_index("line", offset=2)
        # The list of labels may be longer than the data, which leaves rows without date and figure.
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
