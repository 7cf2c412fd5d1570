"""CFTC Commitments of Traders, legacy report, futures only: the newest week of every market in one text file.

Each file replaces the previous one, so a week that was not fetched is a gap (found by int_positions__gaps); the
open-data API (module cftc) has the whole history of the disaggregated report.
"""

from __future__ import annotations

import csv
import io
from datetime import date

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells

SOURCE = "cftc_legacy"
URL = "https://www.cftc.gov/dea/newcot/deafut.txt"
KEY = "deafut"
COLUMNS = 129  # no header; the names below follow the commission's list of variables for this report
NAME, YYMMDD, AS_OF, CODE = 0, 1, 2, 3
CODE_REPEATED = 126
POSITIONS = {
    "open_interest": 7,
    "noncommercial_long": 8,
    "noncommercial_short": 9,
    "noncommercial_spread": 10,
    "commercial_long": 11,
    "commercial_short": 12,
    "reportable_long": 13,
    "reportable_short": 14,
    "nonreportable_long": 15,
    "nonreportable_short": 16,
}
# Sums that must hold between the columns of one market, if they have the assumed meaning.
SUMS = {
    "reportable_long": ("noncommercial_long", "noncommercial_spread", "commercial_long"),
    "reportable_short": ("noncommercial_short", "noncommercial_spread", "commercial_short"),
}
OPEN_INTEREST_SUMS = (("reportable_long", "nonreportable_long"), ("reportable_short", "nonreportable_short"))

FILE = Expect(starts_with=(b'"',))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request: a single file has all series."""
    return [Request(key=KEY, url=URL, expect=FILE)] if catalog.series_of(SOURCE) else []


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Positions in contracts; `period` is the as-of day, at whose end the positions are counted.

    A market is found by its contract code, because names change. Names contain commas, so lines are parsed as CSV. A
    line whose two dates or two codes differ, or whose positions do not add up to reportable positions and open
    interest, is rejected: its columns do not have the assumed meaning.

    Raises BadPayload if no line has the report's 129 columns, or none is of a catalogued market.
    """
    wanted = catalog.series_of(SOURCE)
    if key != KEY or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    text = body.decode("utf-8-sig", "replace")
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error as error:
        raise BadPayload(f"not readable as CSV: {error}", source=SOURCE, todo="try again later") from None
    if not any(len(line) == COLUMNS for line in lines):
        raise BadPayload(
            f"no line has {COLUMNS} columns; the first has {len(lines[0]) if lines else 0}",
            source=SOURCE,
            todo="compare the file with the commission's list of variables, and update this module",
        )

    cells, rejects = [], []
    for number, line in enumerate(lines, start=1):
        named = line[CODE] if len(line) > CODE else ""
        of_market = [series for series in wanted if series.select["code"] == named]
        problem = _problem(line) if of_market else None
        if problem:
            rejects.append((None, f"line {number} ({line[NAME]})", problem))
            continue
        cells += [
            (series.id, line[AS_OF], line[POSITIONS[str(series.select["column"])]], f"line {number} ({named})")
            for series in of_market
        ]
    if not cells and not rejects:
        raise BadPayload("holds none of the catalogued markets", source=SOURCE)
    schema = {"series_id": pl.String, "period_text": pl.String, "text": pl.String, "row": pl.String}
    parsed = _cells.read(
        pl.DataFrame(cells, schema=schema, orient="row").with_columns(
            period=pl.col("period_text").str.to_date("%Y-%m-%d", strict=False), number=pl.lit(None, dtype=pl.Float64)
        )
    )
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([pl.DataFrame(rejects, schema=REJECT, orient="row"), parsed.rejects]),
        missing=parsed.missing,
    )


def _problem(line: list[str]) -> str | None:
    """Why a line of a catalogued market is inconsistent; None if it is not."""
    if len(line) != COLUMNS:
        return f"has {len(line)} columns, not {COLUMNS}"
    if line[AS_OF].replace("-", "")[2:] != line[YYMMDD]:
        return f"is dated {line[YYMMDD]} and {line[AS_OF]}"
    if line[CODE_REPEATED] != line[CODE]:
        return f"is of contract {line[CODE]} and {line[CODE_REPEATED]}"
    try:
        at = {name: float(line[column]) for name, column in POSITIONS.items()}
    except ValueError as error:
        return f"holds a position that is no number: {error}"
    sums = [*SUMS.items(), *(("open_interest", parts) for parts in OPEN_INTEREST_SUMS)]
    for whole, parts in sums:
        if at[whole] != sum(at[part] for part in parts):
            return f"{whole} {at[whole]:g} is not the sum of {', '.join(parts)}"
    return None
