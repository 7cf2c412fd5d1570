"""World Bank Pink Sheet: the URL of the current workbook, and its sheet "Monthly Prices" as observations.

The workbook's URL changes every year, while old editions stay online without updates; so the URL is read from the World
Bank's page in every run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells, _sheets

SOURCE = "worldbank_pink_sheet"
PAGE_URL = "https://www.worldbank.org/en/research/commodity-markets"
WORKBOOK_KEY = "CMO-Historical-Data-Monthly"
SHEET = "Monthly Prices"

WORKBOOK_LINK = re.compile(
    r"https://thedocs\.worldbank\.org/en/doc/[0-9a-f]+-(\d+)/related/CMO-Historical-Data-Monthly\.xlsx"
)
UPDATED_ON = re.compile(r"updated on\s+([a-z]+ \d{1,2}, \d{4})", re.IGNORECASE)
UNIT = re.compile(r"\(.+\)")
PERIOD = r"^(\d{4})M(0[1-9]|1[0-2])$"
HEADER_SEARCH_ROWS = 30  # names are currently in row 5; the number of notes above them varies

PAGE = Expect(starts_with=(b"<",))
WORKBOOK = Expect(
    starts_with=(b"PK",),  # an HTML error page has status 200 too
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """The page, then the workbook that it links to."""
    return [Request(key="commodity-markets", url=PAGE_URL, expect=PAGE, land=False, then=_workbook_requests)]


def _workbook_requests(page: bytes) -> list[Request]:
    """The newest edition among the links of the page.

    The number in a document id ends with the edition's year (…-0050012026).

    Raises BadPayload if the page links to no workbook, or to two different ones of the same year.
    """
    links = {
        found.group(0): int(found.group(1)[-4:]) for found in WORKBOOK_LINK.finditer(page.decode("utf-8", "replace"))
    }
    if not links:
        raise BadPayload(
            f"{PAGE_URL} links no {WORKBOOK_KEY}.xlsx",
            source=SOURCE,
            todo="open the page; if the workbook moved, update WORKBOOK_LINK in this module",
        )
    newest = [url for url, year in links.items() if year == max(links.values())]
    if len(newest) > 1:
        raise BadPayload(f"{PAGE_URL} links {len(newest)} workbooks of one year: {', '.join(newest)}", source=SOURCE)
    return [Request(key=WORKBOOK_KEY, url=newest[0], expect=WORKBOOK)]


@dataclass(frozen=True)
class _Header:
    names: list[str]  # normalised, by position
    units: list[str]
    unit_row: int  # 0-based; figures start in the next row
    updated_on: date | None


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly prices in the unit of each series, one row per month since 1960 and series.

    A column is found by its name (ignoring trailing asterisks and case) and the unit below it. A column that is
    missing, renamed or in another unit is one reject, for its series alone, that reports what was found. A month that
    had not ended when the workbook was updated is rejected, because it cannot be a monthly average.

    Raises BadPayload if the body is not a workbook, or has no such sheet, no recognisable header, or none of the
    columns.
    """
    texts, numbers = _sheet(body)
    header = _header(texts)
    rejects: list[pl.DataFrame] = []
    if header.updated_on is None:
        rejects.append(_cells.rejected(None, f"{SHEET}!A1", "no line 'Updated on <Month day, year>' above the header"))

    found: dict[str, int] = {}
    every = catalog.series_of(SOURCE)
    for series in every:
        position, problem = _column(series, header)
        if position is None:
            rejects.append(_cells.rejected(series.id, f"{SHEET}!{header.unit_row + 1}", problem))
        else:
            found[series.id] = position
    if not found:
        raise BadPayload(
            f"sheet '{SHEET}' has none of the {len(every)} catalogued columns",
            source=SOURCE,
            todo="compare the sheet's header with pipelines/catalog/series/worldbank.yaml",
        )

    cells = _cells_of(found, header, texts, numbers)
    if header.updated_on is not None:
        early = pl.col("period").dt.month_end() >= header.updated_on
        rejects.append(
            cells.filter(early).select(
                "series_id",
                "row",
                reason=pl.format(f"month {{}} had not ended when updated on {header.updated_on}", "period_text"),
            )
        )
        cells = cells.filter(early.not_() | pl.col("period").is_null())
    parsed = _cells.read(cells)
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(frame.select(REJECT.keys()) for frame in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def updated_on(body: bytes) -> date | None:
    """The update date stated in the workbook. Not an identity: two different files have had the same date."""
    return _header(_sheet(body)[0]).updated_on


def _sheet(body: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The cells of the sheet, twice: as text (at most nine decimals) and as the stored binary numbers (else null).

    The text gives markers and printed digits; the figures are taken from the numbers, which are exact.
    """
    sheets = _sheets.read(body, SOURCE, only=SHEET)
    if not sheets:
        raise BadPayload(f"sheet '{SHEET}' is empty", source=SOURCE)
    return sheets[0].texts, sheets[0].numbers


def _header(texts: pl.DataFrame) -> _Header:
    """Names and units, found by content: the first row of "(unit)" cells that is followed by a month."""
    top = texts.head(HEADER_SEARCH_ROWS).rows()
    for index in range(1, len(top) - 1):
        cells = [cell for cell in top[index][1:] if cell]
        if (
            cells
            and sum(bool(UNIT.fullmatch(cell.strip())) for cell in cells) * 2 > len(cells)
            and re.match(PERIOD, (top[index + 1][0] or "").strip())
        ):
            stamp = next(
                (m.group(1) for row in top[:index] for cell in row if cell and (m := UPDATED_ON.search(cell))), None
            )
            return _Header(
                names=[_normal(cell) for cell in top[index - 1]],
                units=[_normal(cell).strip("()") for cell in top[index]],
                unit_row=index,
                updated_on=_long_date(stamp),
            )
    raise BadPayload(
        f"sheet '{SHEET}' has no names, units and first month (1960M01) below each other near its top",
        source=SOURCE,
        todo="open the workbook; if its layout changed, update this module",
    )


def _long_date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%B %d, %Y").date()  # noqa: DTZ007 - a date without a time of day
    except ValueError:
        return None


def _normal(cell: str | None) -> str:
    """A name or unit in lower case, without footnote asterisks and extra blanks."""
    return " ".join((cell or "").strip().rstrip("*").split()).casefold()


def _column(series: Series, header: _Header) -> tuple[int | None, str]:
    """The position of the series' column, or what was found instead."""
    name, unit = str(series.select["column"]), str(series.select["unit"])
    named = [i for i, found in enumerate(header.names) if found == _normal(name)]
    fitting = [i for i in named if header.units[i] == _normal(unit)]
    if len(fitting) == 1:
        return fitting[0], ""
    if fitting:
        return None, f"{len(fitting)} columns '{name}' in {unit}"
    if named:
        return None, f"column '{name}' is in {', '.join(header.units[i] or 'no unit' for i in named)}, not in {unit}"
    return None, f"no column '{name}'"


def _cells_of(found: dict[str, int], header: _Header, texts: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The cells of the series' columns (positions by series), without lines that have neither a month nor a figure
    (blanks, footnotes)."""
    first = header.unit_row + 1
    month = pl.col("period_text").str.strip_chars()
    lines = (
        texts.select(pl.col(texts.columns[0]).alias("period_text"))
        .with_row_index("line", offset=1)
        .slice(first)
        .with_columns(
            pl.when(month.str.contains(PERIOD))
            .then(
                pl.date(
                    month.str.slice(0, 4).cast(pl.Int32, strict=False),
                    month.str.slice(5, 2).cast(pl.Int32, strict=False),
                    1,
                )
            )
            .alias("period")
        )
    )
    columns = [
        lines.with_columns(
            texts.to_series(position).slice(first).alias("text"),
            numbers.to_series(position).slice(first).alias("number"),
            series_id=pl.lit(series_id),
            row=pl.lit(f"{SHEET}!{_sheets.letters(position)}"),
        )
        for series_id, position in found.items()
    ]
    return (
        pl.concat(columns)
        .filter(pl.col("period").is_not_null() | pl.col("number").is_not_null() | pl.col("text").str.contains(r"\S"))
        .select("series_id", "period_text", "period", "text", "number", pl.concat_str("row", "line").alias("row"))
    )
