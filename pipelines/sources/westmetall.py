"""Westmetall's tables of the LME's official prices and stocks: cash settlement, three months, stock; a page per year.

Licensed for personal use only (see the source's terms). The pages are HTML: columns are found by their headings,
which name the metal and are repeated within the table.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import Expect, Parsed, Request, _cells, _html

SOURCE = "westmetall"
URL = "https://www.westmetall.com/en/markdaten.php"
DATE_HEADING = "date"
# The first trading day of a year is 2 January or later and is published a day later: until then the page has no rows.
FIRST_ROWS_AFTER_DAYS = 5
CLOSED_AFTER_DAYS = 31  # of the new year: by then the old year is complete and corrected
DAY = re.compile(r"\d{1,2}\. ?[A-Za-z]+ \d{4}")

PAGE = Expect(starts_with=(b"<",), contains=(b"LME",))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """This year's page and last year's, per metal; newest first."""
    fields = dict.fromkeys(str(series.select["field"]) for series in catalog.series_of(SOURCE))
    newest = (today - timedelta(days=FIRST_ROWS_AFTER_DAYS)).year
    return [
        Request(
            key=f"{field}/{year}",
            url=URL,
            expect=PAGE,
            params=(("action", "table"), ("field", field), ("year", str(year))),
            closed=(today - date(year, 12, 31)).days > CLOSED_AFTER_DAYS,
        )
        for year in (newest, newest - 1)
        for field in fields
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Prices in US dollars per tonne and stocks in tonnes, one figure per LME trading day.

    `-` is a missing value; thousands commas are removed, and a number in any other format is rejected. A day outside
    the page's year is rejected. A missing column is a reject for its series alone.

    Raises BadPayload if no table has the headings of this metal, or if it has no rows.
    """
    field, _, year = key.partition("/")
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["field"] == field]
    if not wanted or not re.fullmatch(r"\d{4}", year):
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    grids = _html.tables(body.decode("utf-8", "replace"))

    cells: list[tuple[str, str, str, str]] = []
    rejects = []
    for series in wanted:
        heading = f"{series.select['metal_name']} {series.select['column']}"
        found = list(_column(grids, _normal(heading)))
        if found:
            cells += [(series.id, day, _html.without_thousands(text), f"{field} {day}") for day, text in found]
        else:
            rejects.append(_cells.rejected(series.id, key, f"no rows under a heading '{heading}'"))
    if not cells:
        raise BadPayload(
            f"{key}: no table has the headings of the {len(wanted)} catalogued columns and rows below them",
            source=SOURCE,
            todo="open the page; if its headings changed, update pipelines/catalog/series/westmetall.yaml",
        )
    table = pl.DataFrame(
        cells,
        schema={"series_id": pl.String, "period_text": pl.String, "text": pl.String, "row": pl.String},
        orient="row",
    )
    period = pl.col("period_text").str.replace(r"\. ?", ". ").str.to_date("%d. %B %Y", strict=False)
    parsed = _cells.read(
        table.with_columns(
            period=pl.when(period.dt.year() == int(year)).then(period), number=pl.lit(None, dtype=pl.Float64)
        )
    )
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _column(grids: list[_html.Grid], heading: str) -> list[tuple[str, str]]:
    """Days and texts below a heading, in every table that has it.

    A row of headings starts with "date" and applies to the rows below it; a row that does not start with a day is not a
    row of figures (an average, a note).
    """
    found = []
    for grid in grids:
        column, width = None, 0
        for row in grid:
            names = [_normal(cell) for cell in row]
            if names and names[0] == DATE_HEADING:
                column, width = (names.index(heading) if names.count(heading) == 1 else None), len(row)
            elif column is not None and row and DAY.fullmatch(row[0]):
                # In a row with more or fewer cells, the cell at this position belongs to another column.
                found.append((row[0], row[column] if len(row) == width else f"(a row of {len(row)} cells)"))
    return found


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()
