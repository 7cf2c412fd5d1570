"""US Treasury Fiscal Data: the Monthly Treasury Statement (tables 1, 4, 9) and the debt to the penny.

Amounts are dollars, printed as strings; a missing one is the string "null". Under each report date, table 1 prints
every month of the previous and the current fiscal year: a month is read only from the block of the current year.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, REJECT, Expect, Parsed, Request, _cells, _json

SOURCE = "fiscal_data"
BASE_URL = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service"
PAGE_SIZE = 10_000  # the API's maximum; the statement has had under 4,000 rows since 2015
PAGE_MARK = "/page"
COUNT = re.compile("[1-9][0-9]{0,5}")  # number of rows; a hundred pages would not be a plausible response

ANSWER = Expect(starts_with=(b"{",), contains=(b'"data"',))

SUMMARY, RECEIPTS, FUNCTIONS, DEBT = "mts_table_1", "mts_table_4", "mts_table_9", "debt_to_penny"
MONTHS = {
    name: number
    for number, name in enumerate(
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        start=1,
    )
}
RECEIPT, OUTLAY, DEFICIT = "current_month_gross_rcpt_amt", "current_month_gross_outly_amt", "current_month_dfct_sur_amt"
BALANCE_TOLERANCE_USD = 1.0  # the three columns balance to the cent in all reports examined


@dataclass(frozen=True)
class _Table:
    path: str
    keys: tuple[str, ...]  # columns that identify a row, in addition to the catalogued amounts


TABLES = {
    SUMMARY: _Table(
        "/v1/accounting/mts/mts_table_1",
        (
            "record_date",
            "parent_id",
            "classification_id",
            "classification_desc",
            "record_type_cd",
            "data_type_cd",
            "sequence_number_cd",
            "line_code_nbr",
        ),
    ),
    RECEIPTS: _Table("/v1/accounting/mts/mts_table_4", ("record_date", "classification_desc", "record_type_cd")),
    FUNCTIONS: _Table("/v1/accounting/mts/mts_table_9", ("record_date", "classification_desc", "record_type_cd")),
    DEBT: _Table("/v2/accounting/od/debt_to_penny", ("record_date",)),
}


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per table and line, oldest first, and the further pages that a response announces."""
    lines = dict.fromkeys(_line(series) for series in catalog.series_of(SOURCE))
    return [_request(catalog, table, line, page=1) for table, line in lines]


def _line(series: Series) -> tuple[str, str | None]:
    """Table and line (its `classification_desc`); table 1 and the debt have no line."""
    line = series.select.get("line")
    return str(series.select["table"]), None if line is None else str(line)


def _key(table: str, line: str | None) -> str:
    return table if line is None else f"{table}/{line}"


def _request(catalog: Catalog, table: str, line: str | None, page: int) -> Request:
    key = _key(table, line)
    amounts = dict.fromkeys(str(s.select["field"]) for s in catalog.series_of(SOURCE) if _line(s) == (table, line))
    if table == SUMMARY:  # all three are needed to check the balance
        amounts |= dict.fromkeys((RECEIPT, OUTLAY, DEFICIT))
    filters = () if line is None else (("filter", f"classification_desc:eq:{line}"),)

    def further(body: bytes) -> list[Request]:
        total, _ = _envelope(body, key, page)
        return [_request(catalog, table, line, number) for number in range(2, _pages(total) + 1)]

    return Request(
        key=key if page == 1 else f"{key}{PAGE_MARK}{page}",
        url=BASE_URL + TABLES[table].path,
        expect=ANSWER,
        params=(
            ("fields", ",".join((*TABLES[table].keys, *amounts))),
            *filters,
            ("sort", "record_date"),
            ("page[number]", str(page)),
            ("page[size]", str(PAGE_SIZE)),
        ),
        then=further if page == 1 else None,
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Amounts in dollars: one month or, for the debt, one day per row.

    A month of tables 4 and 9 is taken from the month's own report (year-to-date lines are under the month in which they
    end). A month of table 1 is taken from the newest report of its own fiscal year; restatements after the end of that
    year are only in the prior-year block, which is not read. A deficit is positive; one that differs from outlays minus
    receipts is rejected, because a column or its sign must have changed.

    Raises BadPayload if the body is not JSON or not this publisher's envelope, has a number of rows other than its
    "total-count", has none of the catalogued amounts, or belongs to a request of no catalogued series.
    """
    name, _, page_text = key.partition(PAGE_MARK)
    page = int(page_text or 1)
    wanted = [series for series in catalog.series_of(SOURCE) if _key(*_line(series)) == name]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    table, line = _line(wanted[0])
    total, rows = _envelope(body, name, page)
    if table == SUMMARY and _pages(total) > 1:
        raise BadPayload(
            f"{name}: {total} rows do not fit a page, and a page may cut a report in two",
            source=SOURCE,
            todo="ask for table 1 by windows of record_date",
        )

    frame = _frame(rows)
    if "record_date" not in frame.columns:
        raise BadPayload(f"{name}: the rows have no record_date", source=SOURCE)
    frame = frame.with_row_index("position").with_columns(
        reported=pl.col("record_date").str.to_date("%Y-%m-%d", strict=False)
    )
    early: list[pl.DataFrame] = []
    if table == SUMMARY:
        frame, early = _own_year(frame)
    elif line is not None:
        if "classification_desc" not in frame.columns:
            raise BadPayload(f"{name}: the rows have no classification_desc", source=SOURCE)
        frame = frame.filter(pl.col("classification_desc") == line)
        if frame.is_empty():
            raise BadPayload(f"{name}: no row is '{line}'", source=SOURCE)

    frames, rejects = [], early
    for series in wanted:
        field = str(series.select["field"])
        if field not in frame.columns:
            rejects.append(_cells.rejected(series.id, name, f"no row has the field {field}"))
            continue
        cells = frame
        if table == SUMMARY and field == DEFICIT:
            cells, unbalanced = _balanced(frame, series)
            rejects.append(unbalanced)
        frames.append(_amounts(cells, series, field))
    if not frames:
        raise BadPayload(f"{name}: none of the catalogued amounts is there", source=SOURCE)
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(r.select(REJECT.keys()) for r in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def _envelope(body: bytes, name: str, page: int) -> tuple[int, list[dict[str, Any]]]:
    """The total number of rows (`total-count`) and the rows of this page, checked against it."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{name}: not JSON: {error}", source=SOURCE) from None
    rows = document.get("data") if isinstance(document, dict) else None
    meta = document.get("meta") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not isinstance(meta, dict) or not all(isinstance(row, dict) for row in rows):
        told = document.get("message") or document.get("error") if isinstance(document, dict) else None
        raise BadPayload(f"{name}: no data and meta: {told or 'no message'}", source=SOURCE, todo="try again later")
    total = str(meta.get("total-count", ""))
    if not COUNT.fullmatch(total):
        raise BadPayload(f"{name}: total-count is '{total}'", source=SOURCE, todo="try again later")
    expected = min(PAGE_SIZE, int(total) - PAGE_SIZE * (page - 1))
    if len(rows) != expected:
        raise BadPayload(
            f"{name}: page {page} has {len(rows)} rows, and {expected} of {total} belong on it", source=SOURCE
        )
    return int(total), rows


def _pages(total: int) -> int:
    return -(-total // PAGE_SIZE)


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as text columns; a field that a row lacks is null there."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame(
        {name: [_printed(row.get(name)) for row in rows] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )


def _printed(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def _own_year(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Month rows of each report's own fiscal year, from the newest report for each month, and the rejects.

    A report's own block is below its second root: the row of type SL with number 2, "FY 2026" (root 1 is the year
    before). Selecting type MTH excludes the year to date, totals (T) and headers (S). If the root names a year other
    than the report's, the whole report is rejected, because the order of the blocks has changed.
    """
    if absent := set(TABLES[SUMMARY].keys) - set(frame.columns):
        raise BadPayload(f"{SUMMARY}: the rows have no {', '.join(sorted(absent))}", source=SOURCE)
    undated = frame.filter(pl.col("reported").is_null()).select(
        pl.lit(None, dtype=pl.String).alias("series_id"),
        pl.format("row {}", "position").alias("row"),
        pl.format("record_date '{}' is no day", pl.col("record_date").fill_null("null")).alias("reason"),
    )
    frame = frame.filter(pl.col("reported").is_not_null())
    fiscal_year = pl.col("reported").dt.year() + (pl.col("reported").dt.month() >= 10).cast(pl.Int32)
    frame = frame.with_columns(fiscal_year=fiscal_year)
    roots = frame.filter((pl.col("record_type_cd") == "SL") & (pl.col("sequence_number_cd") == "2"))
    right = pl.col("classification_desc").str.strip_chars() == pl.format("FY {}", "fiscal_year")
    several = pl.len().over("record_date") > 1
    own = roots.filter(right & ~several)
    refused = roots.filter((right & ~several).fill_null(False).not_()).select(
        pl.lit(None, dtype=pl.String).alias("series_id"),
        pl.format("report {}", "record_date").alias("row"),
        pl.format(
            "the block numbered 2 is '{}' and not the report's own FY {}, or stands there twice",
            pl.col("classification_desc").fill_null(""),
            "fiscal_year",
        ).alias("reason"),
    )
    rootless = (
        frame.filter(~pl.col("record_date").is_in(roots.get_column("record_date").implode()))
        .select("record_date")
        .unique()
        .select(
            pl.lit(None, dtype=pl.String).alias("series_id"),
            pl.format("report {}", "record_date").alias("row"),
            pl.lit("no row of type SL is numbered 2: the report's own year cannot be told").alias("reason"),
        )
    )
    if own.is_empty():
        raise BadPayload(
            f"{SUMMARY}: no report has a root of its own fiscal year",
            source=SOURCE,
            todo="look at record_type_cd and sequence_number_cd of the rows",
        )
    months = (
        frame.filter((pl.col("record_type_cd") == "MTH") & ~pl.col("data_type_cd").fill_null("").is_in(["T", "S"]))
        .join(
            own.select("record_date", pl.col("classification_id").alias("parent_id")),
            on=["record_date", "parent_id"],
            how="semi",
        )
        .with_columns(
            month=pl.col("classification_desc")
            .str.strip_chars()
            .replace_strict(MONTHS, default=None, return_dtype=pl.Int32)
        )
        .with_columns(
            period=pl.date(pl.col("fiscal_year") - (pl.col("month") >= 10).cast(pl.Int32), pl.col("month"), 1)
        )
    )
    if months.is_empty():
        raise BadPayload(
            f"{SUMMARY}: no row of type MTH is below the root of its report's year",
            source=SOURCE,
            todo="look at record_type_cd and parent_id of the rows",
        )
    unreadable = pl.col("period").is_null() | (pl.col("period") > pl.col("reported"))
    bad = months.filter(unreadable).select(
        pl.lit(None, dtype=pl.String).alias("series_id"),
        pl.format("report {}, row {}", "record_date", "position").alias("row"),
        pl.format("'{}' is not a month of the report", pl.col("classification_desc").fill_null("")).alias("reason"),
    )
    # A month twice in one report stays twice, and is rejected with the cells.
    newest = months.filter(~unreadable).filter(pl.col("reported") == pl.col("reported").max().over("period"))
    return newest, [undated, refused, rootless, bad]


def _balanced(frame: pl.DataFrame, series: Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Months whose deficit equals outlays minus receipts (or cannot be compared), and the others as rejects."""
    if absent := {RECEIPT, OUTLAY} - set(frame.columns):
        return frame.clear(), _cells.rejected(series.id, SUMMARY, f"no {', '.join(sorted(absent))} to balance against")
    receipt, outlay, deficit = (pl.col(name).cast(pl.Float64, strict=False) for name in (RECEIPT, OUTLAY, DEFICIT))
    apart = ((outlay - receipt - deficit).abs() > BALANCE_TOLERANCE_USD).fill_null(False)
    return frame.filter(~apart), frame.filter(apart).select(
        pl.lit(series.id).alias("series_id"),
        pl.format("report {}, {}", "record_date", "classification_desc").alias("row"),
        pl.format("the deficit {} is not outlays {} minus receipts {}", DEFICIT, OUTLAY, RECEIPT).alias("reason"),
    )


def _amounts(frame: pl.DataFrame, series: Series, field: str) -> pl.DataFrame:
    if "period" in frame.columns:
        period = pl.col("period")
    elif series.frequency is Frequency.DAILY:
        period = pl.col("reported")
    else:  # a monthly report is dated to the last day of its month
        period = pl.when(pl.col("reported") == pl.col("reported").dt.month_end()).then(
            pl.col("reported").dt.month_start()
        )
    return frame.select(
        pl.lit(series.id).alias("series_id"),
        pl.col("record_date").alias("period_text")
        if "period" not in frame.columns
        else pl.format("{} of report {}", "classification_desc", "record_date").alias("period_text"),
        period.alias("period"),
        pl.col(field).alias("text"),
        pl.lit(None, dtype=pl.Float64).alias("number"),
        pl.format(f"{field} of {{}}, row {{}}", pl.col("record_date").fill_null("null"), "position").alias("row"),
    )
