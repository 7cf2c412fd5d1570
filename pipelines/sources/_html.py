"""Tables of an HTML page as grids of text, for publishers without a better format.

Standard library only: no network, scripts or styles. Code for a single publisher does not belong here.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pipelines.errors import BadPayload

Grid = list[list[str]]

THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
MAX_SPAN = 50  # maximum columns or rows that one cell may span


def tables(page: str) -> list[Grid]:
    """Every table of `page` in document order: rows of cell texts, blanks collapsed.

    The text of a cell that spans columns or rows is repeated in each of them, so a heading over two columns names both.
    A table inside a cell is returned as a separate table and adds no text to that cell.

    Raises BadPayload if a table is not closed: the page is truncated, perhaps inside a figure.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    if reader.is_open:
        raise BadPayload("the page is truncated: a table on it is not closed", todo="try again later")
    return [_grid(rows) for rows in reader.finished if rows]


def without_thousands(text: str) -> str:
    """`text` without thousands commas if it is a number printed with them; otherwise unchanged ("1,23" stays)."""
    return text.replace(",", "") if THOUSANDS.fullmatch(text) else text


class _Cell:
    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.pieces: list[str] = []


class _Reader(HTMLParser):
    """Rows of cells per table. End tags may be missing, as HTML allows: the next row or cell closes the last."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.finished: list[list[list[_Cell]]] = []  # in the order of the opening tags
        self._open: list[list[list[_Cell]]] = []
        self._in_cell: list[bool] = []

    @property
    def is_open(self) -> bool:
        return bool(self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            rows: list[list[_Cell]] = []
            self.finished.append(rows)
            self._open.append(rows)
            self._in_cell.append(False)
        elif self._open and tag == "tr":
            self._open[-1].append([])
            self._in_cell[-1] = False
        elif self._open and tag in ("td", "th"):
            if not self._open[-1]:
                self._open[-1].append([])
            spans = dict(attrs)
            self._open[-1][-1].append(_Cell(_span(spans.get("colspan")), _span(spans.get("rowspan"))))
            self._in_cell[-1] = True

    def handle_endtag(self, tag: str) -> None:
        if not self._open:
            return
        if tag == "table":
            self._open.pop()
            self._in_cell.pop()
        elif tag in ("td", "th", "tr"):
            self._in_cell[-1] = False

    def handle_data(self, data: str) -> None:
        if self._open and self._in_cell[-1]:
            self._open[-1][-1][-1].pieces.append(data)


def _span(text: str | None) -> int:
    if not text or not re.fullmatch("[0-9]+", text):
        return 1
    return min(max(int(text[:9]), 1), MAX_SPAN)  # bounds the cost of a number with a million digits


def _grid(rows: list[list[_Cell]]) -> Grid:
    grid: Grid = []
    hanging: dict[int, tuple[int, str]] = {}  # column: rows that a cell above still spans, and its text
    for cells in rows:
        line: list[str] = []
        below: dict[int, tuple[int, str]] = {}
        waiting = list(cells)
        while waiting or len(line) in hanging:
            column = len(line)
            if column in hanging:
                left, text = hanging.pop(column)
                line.append(text)
                if left > 1:
                    below[column] = (left - 1, text)
                continue
            cell = waiting.pop(0)
            text = " ".join("".join(cell.pieces).split())
            for _ in range(cell.columns):
                if cell.rows > 1:
                    below[len(line)] = (cell.rows - 1, text)
                line.append(text)
        grid.append(line)
        hanging = below
    return grid
