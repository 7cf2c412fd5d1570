"""`metals export`: writes a table or the result of a query to a Parquet, CSV or Excel file.

Text of publishers becomes no formula: in a workbook it is a cell of text, in a CSV file an apostrophe goes before it.
"""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines import text, warehouse
from pipelines.catalog import LicenceClass
from pipelines.errors import MetalsError
from pipelines.reporting.rows import shown

EXPORT_FORMATS = (".parquet", ".csv", ".xlsx")
# What Excel holds: rows of a sheet less the headings, characters of a cell, whole numbers.
XLSX_ROWS, XLSX_CHARACTERS, XLSX_WHOLE_NUMBER = 1_048_575, 32_767, 10**15
ROWS_AT_ONCE = 10_000


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the published tables and views, in alphabetical order."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_schema = 'main' and table_catalog = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def export(connection: duckdb.DuckDBPyConnection, what: str, target: Path) -> tuple[int, list[str]]:
    """Write a table or a query's result to `target` (.parquet, .csv or .xlsx), atomically.

    Returns the number of rows and the titles of publishers in the warehouse whose figures are licensed for personal
    use. The metadata of a Parquet file, and a sheet of a workbook, hold the query, the as-of date and the credit lines
    of all publishers. Raises duckdb.Error or InvalidQuery for anything but one select, MetalsError for what a workbook
    cannot hold, OSError if the file cannot be written.
    """
    query = f'from "{what}"' if what in tables(connection) else warehouse.one_select(connection, what)
    held = warehouse.rows(
        connection,
        "select title, credit, licence_class from raw.catalog_source "
        "where source_id in (select source_id from raw.coverage where rows > 0) order by title",
    )
    about = {
        "metals_query": query,
        "metals_as_of": f"{warehouse.as_of(connection) or ''}",
        "metals_credits": "; ".join(s["credit"] for s in held),
    }
    with warehouse.replacing(target) as part:
        if target.suffix == ".xlsx":
            rows = _workbook(connection, query, about, part)
        else:
            rows = _copy(connection, query, about, target.suffix.removeprefix("."), part)
    return rows, [s["title"] for s in held if s["licence_class"] == LicenceClass.PERSONAL_USE.value]


def _copy(connection: duckdb.DuckDBPyConnection, query: str, about: dict[str, str], form: str, part: Path) -> int:
    options = f"format {form}, use_tmp_file false"
    if form == "parquet":
        options += ", kv_metadata {" + ", ".join(f"{k}: '{warehouse.quoted(v)}'" for k, v in about.items()) + "}"
    else:
        query = _harmless(connection, query)
    rows = connection.execute(f"copy (\n{query}\n) to '{warehouse.quoted(part)}' ({options})").fetchall()
    return int(rows[0][0])


def _harmless(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """`query` with an apostrophe before text that a spreadsheet would compute as a formula."""
    found = connection.sql(query)
    names = [f'"{n.replace(chr(34), chr(34) * 2)}"' for n in found.columns]
    cells = [
        f"case when regexp_matches({name}, '^{text.FORMULA.pattern}') then '''' || {name} else {name} end as {name}"
        if str(kind) == "VARCHAR"
        else name
        for name, kind in zip(names, found.dtypes, strict=True)
    ]
    return f"select {', '.join(cells)} from (\n{query}\n)"


def _workbook(connection: duckdb.DuckDBPyConnection, query: str, about: dict[str, str], part: Path) -> int:
    """Write the sheets `rows` and `about`; returns the number of rows. Numbers, dates and times are such in Excel."""
    import xlsxwriter  # noqa: PLC0415 - only for this format
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415

    found = connection.execute(query)
    columns = [name for name, *_ in found.description or ()]
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "remove_timezone": True}
    book = xlsxwriter.Workbook(str(part), options)
    sheet, bold = book.add_worksheet("rows"), book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.freeze_panes(1, 0)
    for n, name in enumerate(columns):
        sheet.set_column(n, n, min(max(len(name), 10), 40))
        sheet.write_string(0, n, name, bold)
    count = 0
    for row in itertools.chain.from_iterable(iter(lambda: found.fetchmany(ROWS_AT_ONCE), [])):
        count += 1
        if count > XLSX_ROWS:
            raise MetalsError(f"a sheet of Excel holds {XLSX_ROWS:,} rows: export Parquet or CSV, or select fewer")
        for n, value in enumerate(row):
            _cell(sheet, count, n, value, moment, columns[n])
    notes = book.add_worksheet("about")
    notes.set_column(1, 1, 120)
    for n, (name, said) in enumerate(about.items()):
        notes.write_string(n, 0, name, bold)
        notes.write_string(n, 1, said[:XLSX_CHARACTERS])
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None  # the OSError
    return count


def _cell(sheet: Any, row: int, column: int, value: Any, moment: Any, name: str) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case float() if not math.isfinite(value):
            return
        case float() | int() if isinstance(value, float) or abs(value) < XLSX_WHOLE_NUMBER:
            sheet.write_number(row, column, value)
        case datetime():
            sheet.write_datetime(row, column, value.astimezone(UTC) if value.tzinfo else value, moment)
        case date():
            sheet.write_datetime(row, column, value)
        case _:
            said = shown(value)
            if len(said) > XLSX_CHARACTERS:
                raise MetalsError(
                    f"{name} has a text of {len(said):,} characters, and a cell of Excel holds {XLSX_CHARACTERS:,}: "
                    "export Parquet or CSV"
                )
            sheet.write_string(row, column, said)
