"""IMF Primary Commodity Prices: one SDMX CSV per indicator, and the IMF's workbook "external-data".

A run fetches the CSV. The workbook has the same series for earlier months; it is read from a file.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from types import MappingProxyType

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells, _sheets

SOURCE = "imf_pcps"
DATA_URL = "https://api.imf.org/external/sdmx/3.0/data/dataflow/IMF.RES/PCPS/+"
KEY_PREFIX = "PCPS/"
WORKBOOK_KEY = "external-data"
WORLD = "G001"  # another code for the world (W00) returns 200 and no data
DIMENSIONS = MappingProxyType({"COUNTRY": WORLD, "DATA_TRANSFORMATION": "USD", "FREQUENCY": "M"})  # and INDICATOR

CSV = Expect(
    starts_with=(b"STRUCTURE", b'"STRUCTURE', b"DATAFLOW", b'"DATAFLOW'),
    contains=(b"TIME_PERIOD", b"OBS_VALUE"),
)
PERIOD = r"^(\d{4})-?M(\d{1,2})$"  # "2026-M08" in the CSV, "2011M2" in the workbook
HEADER_ROWS = ("Commodity", "Commodity.Description", "Data Type", "Frequency")  # in an order that changes


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per indicator, so that a reset connection or an unknown code affects one series only."""
    indicators = dict.fromkeys(str(series.select["indicator"]) for series in catalog.series_of(SOURCE))
    return [
        Request(
            key=f"{KEY_PREFIX}{indicator}",
            url=f"{DATA_URL}/{WORLD}.{indicator}.USD.M",
            expect=CSV,
            headers={"Accept": "application/vnd.sdmx.data+csv;version=1.0.0"},
        )
        for indicator in indicators
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly average prices in the unit of each series.

    For the key of an indicator, the body is its SDMX CSV; for WORKBOOK_KEY, it is the workbook, whose columns are found
    by the commodity's code or, if that cell is blank, by the beginning of its description. A workbook column that is
    missing, or is not a monthly price in dollars, is a reject for its series alone. A price of 0 is rejected.

    Raises BadPayload for another format, for rows of another country, indicator, transformation or frequency than
    requested, for a response without observations, and for a key of no catalogued series.
    """
    if key == WORKBOOK_KEY:
        cells, rejects = _workbook_cells(body, catalog)
    else:
        cells, rejects = _csv_cells(body, key, catalog), []
    # The publisher fills some gaps with 0 (tomatoes, before they were quoted).
    nothing = pl.coalesce("number", pl.col("text").cast(pl.Float64, strict=False)) == 0
    zeros = cells.filter(nothing.fill_null(False)).select("series_id", "row", pl.lit("a price of 0").alias("reason"))
    parsed = _cells.read(cells.filter(~nothing.fill_null(False)))
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(frame.select(REJECT.keys()) for frame in rejects), zeros, parsed.rejects]),
        missing=parsed.missing,
    )


def _csv_cells(body: bytes, key: str, catalog: Catalog) -> pl.DataFrame:
    indicator = key.removeprefix(KEY_PREFIX)
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["indicator"] == indicator]
    if not key.startswith(KEY_PREFIX) or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    text = body.decode("utf-8-sig", "replace")
    if text.lstrip().startswith(("<", "{")):
        raise BadPayload("not the SDMX CSV asked for", source=SOURCE, series=indicator, todo="try again later")
    # Descriptions in the attributes may contain quoted line breaks, so a row may span several lines.
    try:
        header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:
        raise BadPayload(f"not a CSV: {error or 'empty'}", source=SOURCE, series=indicator) from None
    names = [name.strip() for name in header]
    expected = {**DIMENSIONS, "INDICATOR": indicator}
    if absent := {*expected, "TIME_PERIOD", "OBS_VALUE"} - set(names):
        raise BadPayload(
            f"the CSV has no column {', '.join(sorted(absent))}",
            source=SOURCE,
            series=indicator,
            todo=f"its columns are {', '.join(names)[:200]}; compare DIMENSIONS in this module",
        )
    if any(line and len(line) != len(names) for line in lines):
        raise BadPayload("a row has more or fewer cells than the header", source=SOURCE, series=indicator)
    table = pl.DataFrame(
        [line for line in lines if line], schema=[(str(i), pl.String) for i in range(len(names))], orient="row"
    ).rename({str(names.index(name)): name for name in (*expected, "TIME_PERIOD", "OBS_VALUE")})
    # An empty result is a row of blanks under the header, with status 200.
    table = table.with_row_index("line", offset=1).filter(pl.col("TIME_PERIOD").str.contains(r"\S"))
    if table.is_empty():
        raise BadPayload(
            f"no observation under {WORLD}.{indicator}.USD.M",
            source=SOURCE,
            series=indicator,
            todo="see whether the IMF renamed the indicator or the country code of the world",
        )
    for name, code in expected.items():
        others = table.filter(pl.col(name).str.strip_chars() != code).get_column(name)
        if others.len():
            raise BadPayload(
                f"rows with {name} '{others[0]}' where {code} was asked for", source=SOURCE, series=indicator
            )
    return pl.concat(
        table.select(
            pl.lit(series.id).alias("series_id"),
            pl.col("TIME_PERIOD").alias("period_text"),
            _month("TIME_PERIOD").alias("period"),
            pl.col("OBS_VALUE").alias("text"),
            pl.lit(None, dtype=pl.Float64).alias("number"),
            pl.format("row {}", "line").alias("row"),
        )
        for series in wanted
    )


def _month(name: str) -> pl.Expr:
    """First day of the month printed in a column, or null."""
    text = pl.col(name).str.strip_chars()
    year, month = (text.str.extract(PERIOD, group).cast(pl.Int32, strict=False) for group in (1, 2))
    return pl.when(month.is_between(1, 12)).then(pl.date(year, pl.when(month.is_between(1, 12)).then(month), 1))


def _workbook_cells(body: bytes, catalog: Catalog) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    for sheet in _sheets.read(body, SOURCE):
        labels = [(cell or "").strip() for cell in sheet.texts.to_series(0)]
        if all(labels.count(name) == 1 for name in HEADER_ROWS):
            break
    else:
        raise BadPayload(
            f"no sheet has the rows {', '.join(HEADER_ROWS)}",
            source=SOURCE,
            todo="open the workbook and update this module",
        )
    codes, descriptions, types, frequencies = (
        [(cell or "").strip() for cell in sheet.texts.row(labels.index(name))] for name in HEADER_ROWS
    )
    first = next((i for i, label in enumerate(labels) if re.match(PERIOD, label)), None)
    if first is None or first <= max(labels.index(name) for name in HEADER_ROWS):
        raise BadPayload(f"sheet '{sheet.name}' has no months below its header", source=SOURCE)

    frames, rejects = [], []
    for series in catalog.series_of(SOURCE):
        code, beginning = str(series.select["indicator"]), str(series.select["description"])
        # A blank code (lithium) is identified by its description; a code alone could be reused for another commodity.
        fitting = [
            i
            for i in range(1, len(codes))
            if codes[i] in (code, "") and descriptions[i].casefold().startswith(beginning.casefold())
        ]
        place = f"{sheet.name}!{_sheets.letters(fitting[0]) if fitting else 'A'}"
        if len(fitting) != 1:
            rejects.append(
                _cells.rejected(series.id, place, f"{len(fitting)} columns {code} that begin with '{beginning}'")
            )
        elif (types[fitting[0]], frequencies[fitting[0]]) != ("USD", "Monthly"):
            found = f"{types[fitting[0]]}, {frequencies[fitting[0]]}"
            rejects.append(_cells.rejected(series.id, place, f"column {code} is '{found}', not 'USD, Monthly'"))
        else:
            frames.append(_column_cells(series, sheet, fitting[0], first))
    if not frames:
        raise BadPayload(f"sheet '{sheet.name}' has none of the catalogued columns", source=SOURCE)
    return pl.concat(frames), rejects


def _column_cells(series: Series, sheet: _sheets.Sheet, position: int, first: int) -> pl.DataFrame:
    return (
        pl.DataFrame(
            {
                "period_text": sheet.texts.to_series(0)[first:],
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
            _month("period_text").alias("period"),
            "text",
            "number",
            pl.format(f"{sheet.name}!{_sheets.letters(position)}{{}}", "line").alias("row"),
        )
    )
