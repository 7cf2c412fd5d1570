"""FRED graph CSV: one series per request, read by position.

No vintages are requested. A column named after a vintage is refused: FRED has returned today's figures under a
vintage's name with status 200, and the reverse.
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import Expect, Parsed, Request, _cells

LAST_JULY_FISCAL_YEAR = 1976
SOURCE = "fred"
GRAPH_URL = "https://fred.stlouisfed.org/graph/fredgraph.csv"
KEY_PREFIX = "fredgraph/"
DATE_HEADERS = ("observation_date", "DATE")  # since December 2024, and before

CSV = Expect(
    starts_with=tuple(f"{name},".encode() for name in DATE_HEADERS),
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per identifier: a file with several is joined on the union of their dates, with many blanks."""
    identifiers = dict.fromkeys(str(series.select["id"]) for series in catalog.series_of(SOURCE))
    return [
        Request(key=f"{KEY_PREFIX}{identifier}", url=GRAPH_URL, expect=CSV, params=(("id", identifier),))
        for identifier in identifiers
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Figures of one identifier in its own unit; `period` is the first day of the reference period.

    FRED dates every period to its first day, except US fiscal years, which it dates to 1 January of the year after
    which they are named: 2025-01-01 is fiscal year 2025, which starts on 2024-10-01 (until 1976, on 1 July). A date
    that cannot begin a period of the series' frequency is rejected.

    Raises BadPayload for an HTML page, a column other than the requested one (such as a vintage of it), a truncated or
    empty body, or a key of no catalogued series.
    """
    identifier = key.removeprefix(KEY_PREFIX)
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["id"] == identifier]
    if not key.startswith(KEY_PREFIX) or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    text = body.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("<"):
        raise BadPayload("an HTML page in place of a CSV", source=SOURCE, series=identifier, todo="try again later")
    header, *lines = text.splitlines() or [""]
    _check_header(header, identifier)
    _cells.refuse_cut(body, SOURCE, identifier)

    table = (
        pl.DataFrame({"line": lines}, schema={"line": pl.String})
        .with_row_index("number_of_line", offset=2)
        .filter(pl.col("line").str.contains(r"\S"))
        .with_columns(pl.col("line").str.splitn(",", 2).struct.rename_fields(["period_text", "text"]))
        .unnest("line")
        .with_columns(
            printed=pl.col("period_text").str.to_date("%Y-%m-%d", strict=False),
            number=pl.lit(None, dtype=pl.Float64),
            row=pl.format("line {}", "number_of_line"),
        )
    )
    if table.is_empty():
        raise BadPayload("a header without rows", source=SOURCE, series=identifier)
    return _cells.read(
        pl.concat(table.with_columns(series_id=pl.lit(series.id), period=_period(series)) for series in wanted)
    )


def _check_header(header: str, identifier: str) -> None:
    names = [name.strip().strip('"') for name in header.split(",")]
    if len(names) == 2 and names[0] in DATE_HEADERS and names[1] == identifier:
        return
    if len(names) == 2 and re.fullmatch(re.escape(identifier) + r"_\d{8}", names[1]):
        raise BadPayload(f"column {names[1]} is a vintage, and none was requested", source=SOURCE, series=identifier)
    raise BadPayload(
        f"header '{header[:80]}' is not '{DATE_HEADERS[0]},{identifier}'",
        source=SOURCE,
        series=identifier,
        todo="open the address; a series that was renamed or ended needs a new entry in series/fred.yaml",
    )


def _period(series: Series) -> pl.Expr:
    """First day of the reference period, or null if the printed date does not begin one."""
    printed = pl.col("printed")
    first_of_month = printed.dt.day() == 1
    match series.frequency:
        case Frequency.DAILY | Frequency.WEEKLY:
            return printed
        case Frequency.MONTHLY:
            begins, period = first_of_month, printed
        case Frequency.QUARTERLY:
            begins, period = first_of_month & ((printed.dt.month() - 1) % 3 == 0), printed
        case Frequency.ANNUAL:
            begins, period = first_of_month & (printed.dt.month() == 1), printed
        case Frequency.US_FISCAL_YEAR:
            # Fiscal years ran from July to June until 1976 (31 U.S.C. 1102 moved them to October).
            months = pl.when(printed.dt.year() <= LAST_JULY_FISCAL_YEAR).then(pl.lit("-6mo")).otherwise(pl.lit("-3mo"))
            begins, period = first_of_month & (printed.dt.month() == 1), printed.dt.offset_by(months)
    return pl.when(begins).then(period)
