"""The rows of a query as text: no column is left out and no digit cut, whatever the width."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import polars as pl
from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from pipelines.text import SPACES, printable

NULL = "NULL"
SIGNIFICANT_DIGITS = 15  # as many as a double holds of any decimal number
# Characters to which a column of text, and the heading of any column, wrap before a table counts as too wide; a word of
# text is broken only if it is longer.
NARROWEST_TEXT, NARROWEST_HEADING, LONGEST_WORD = 16, 8, 24
GAP = 2  # blanks between columns
ROWS_ON_A_TERMINAL = 40


class Format(StrEnum):
    """How rows are written. `auto`: a table, or on a terminal that is too narrow for it one record a block."""

    AUTO = "auto"
    TABLE = "table"
    VERTICAL = "vertical"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"


def show(console: Console, errors: Console, frame: pl.DataFrame, form: Format, limit: int | None = None) -> None:
    """Print `frame`, at most `limit` rows of it; by default 40 on a terminal and all elsewhere.

    A float has 15 significant digits (CSV and JSON: all that it has), a missing value is NULL (CSV: empty, JSON: null).
    `errors` gets what is no row: how many are not shown, and why there are blocks in place of a table.
    """
    most = limit if limit is not None else ROWS_ON_A_TERMINAL if console.is_terminal else frame.height
    rows = frame.head(most)
    if form in (Format.AUTO, Format.TABLE):
        width = console.width
        table, needed = _table(rows, width if console.is_terminal else sys.maxsize)
        if needed <= width or form is Format.TABLE or not console.is_terminal:
            console.width = max(needed, width)
            console.print(table, highlight=False)
            console.width = width
        else:
            errors.print(f"{rows.width} columns need {needed} characters, of {width}: one row a block", highlight=False)
            form = Format.VERTICAL
    if form not in (Format.AUTO, Format.TABLE):
        write = {Format.VERTICAL: _vertical, Format.CSV: _csv, Format.MARKDOWN: _markdown, Format.JSON: _json}[form]
        written = write(rows)  # as it is into a pipe; a terminal would obey what is not printable
        console.file.write((printable(written, keep=SPACES) if console.is_terminal else written) + "\n")
    if frame.is_empty():
        errors.print("no rows", highlight=False)
    if most < frame.height:
        errors.print(f"{most} of {frame.height} rows shown (--rows)", highlight=False)


def as_json(content: object, indent: int | None = None) -> str:
    """`content` as JSON: numbers are numbers, a time has its zone (UTC where none is given), NaN is null."""
    return json.dumps(_plain(content), ensure_ascii=False, indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            plain: Any = {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            plain = [_plain(part) for part in value]
        case float():
            plain = value if math.isfinite(value) else None
        case Decimal():
            plain = int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            plain = (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat().replace("+00:00", "Z")
        case str() | int() | None:
            plain = value
        case _:
            plain = str(value)
    return plain


def shown(value: Any) -> str:
    """`value` for a reader: floats with 15 significant digits, in full from a billionth to a quintillion."""
    if value is None:
        return NULL
    if isinstance(value, float):
        digits = f"{value + 0.0:.{SIGNIFICANT_DIGITS}g}"
        return format(Decimal(digits), "f") if value == 0 or 1e-9 <= abs(value) < 1e18 else digits
    if isinstance(value, list | dict):
        return as_json(value)
    return str(value)


def _cells(rows: pl.DataFrame) -> list[list[str]]:
    return [[shown(value) for value in row] for row in rows.iter_rows()]


def _table(rows: pl.DataFrame, width: int) -> tuple[Table, int]:
    """`rows` as a table, and the characters that it needs; only where they exceed `width`, text and headings wrap."""
    cells = _cells(rows)
    for wraps in (False, True):
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
        needed = -GAP
        for (name, kind), *column in zip(rows.schema.items(), *cells, strict=True):
            longest = max((cell_len(line) for cell in column for line in cell.splitlines()), default=0)
            is_text = kind == pl.String or kind.is_nested()
            if wraps and is_text:
                word = max((cell_len(word) for cell in column for word in cell.split()), default=0)
                longest = min(longest, max(NARROWEST_TEXT, min(word, LONGEST_WORD)))
            heading = _folded(name, max(longest, NARROWEST_HEADING)) if wraps else name
            side: JustifyMethod = "right" if kind.is_numeric() else "left"
            table.add_column(escape(heading), no_wrap=not is_text, overflow="fold", justify=side)
            needed += GAP + max(longest, *map(cell_len, heading.splitlines()))
        if needed <= width:
            break
    for row in cells:
        table.add_row(*map(escape, row))
    return table, needed


def _folded(name: str, width: int) -> str:
    """A column's name in lines of at most `width` characters where its words allow it, broken after an underscore."""
    lines = [""]
    for word in re.findall(r"[^_]*_|[^_]+", name):
        if lines[-1] and cell_len(lines[-1] + word) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def _vertical(rows: pl.DataFrame) -> str:
    widest = max((cell_len(name) for name in rows.columns), default=0)
    blocks = []
    for n, row in enumerate(_cells(rows), 1):
        lines = [f"-- row {n}", *(f"{name:{widest}} {cell}" for name, cell in zip(rows.columns, row, strict=True))]
        blocks.append("\n".join(lines))
    return "\n".join(blocks) or f"no rows of {', '.join(rows.columns)}"


def _csv(rows: pl.DataFrame) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows.columns)
    for row in rows.iter_rows():
        writer.writerow("" if v is None else repr(v) if isinstance(v, float) else shown(v) for v in row)
    return out.getvalue().removesuffix("\n")


def _markdown(rows: pl.DataFrame) -> str:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(c.replace('|', chr(92) + '|').replace(chr(10), ' ') for c in cells)} |"

    rule = ["---:" if kind.is_numeric() else "---" for kind in rows.dtypes]
    return "\n".join([line(rows.columns), line(rule), *map(line, _cells(rows))])


def _json(rows: pl.DataFrame) -> str:
    lines = ",\n".join(as_json(row) for row in rows.to_dicts())
    return f"[{lines}]"
