"""Reads a brief back: its figures, charts, queries and links, without a browser; and compares them with a warehouse."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb

_SCALE = {"tn": 1e12, "bn": 1e9, "m": 1e6, "k": 1e3, "Gt": 1e9, "Mt": 1e6, "kt": 1e3}


@dataclass
class Figure:
    """A figure as the page shows it and as it says that it is stored."""

    query: str
    row: int
    column: str
    stored: str
    text: str = ""
    links_to: str | None = None


@dataclass
class Page(HTMLParser):
    """What the page holds. `text` is all that a reader sees or hears, scripts and styles apart."""

    figures: list[Figure] = field(default_factory=list)
    queries: dict[str, str] = field(default_factory=dict)
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    policy: str = ""
    text: str = ""
    prose: str = ""
    """`text` without code: what is meant to be read, not run."""
    sparklines: list[tuple[str, str, list[int], str]] = field(default_factory=list)
    """Query, column, numbers of the rows and points of each."""
    tables: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._table = ""
        self._row = -1
        self._open: list[tuple[str, Figure]] = []
        self._query: str | None = None
        self._script: dict[str, str | None] | None = None
        self._hidden = False
        self._code = False
        self._spark: tuple[str, str, list[int]] | None = None

    def rows(self, query: str) -> list[dict[str, str]]:
        """The rows shown of a query, as stored, by column."""
        found: dict[int, dict[str, str]] = {}
        for figure in self.figures:
            if figure.query == query:
                found.setdefault(figure.row, {})[figure.column] = figure.stored
        return list(found.values())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found.get("href")))
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(found["content"])
        if tag == "table":
            self._table, self.tables = str(found["data-query"]), self.tables + 1
        if tag == "tr":
            self._row = int(found.get("data-row") or -1)
        if tag == "svg":
            rows = [int(n) for n in str(found["data-rows"]).split()]
            self._spark = (str(found["data-query"]), str(found["data-column"]), rows)
        if tag == "polyline" and self._spark:
            self.sparklines.append((*self._spark, str(found["points"])))
        self._code |= tag == "code"
        if tag == "code" and str(found.get("id")).startswith("sql-text-"):
            self._query = str(found["id"]).removeprefix("sql-text-")
            self.queries[self._query] = ""
        if tag in ("script", "style"):
            self._hidden = True
            self._script = found if tag == "script" else None
        if "data-value" in found:
            figure = Figure(
                str(found.get("data-query") or self._table),
                int(found.get("data-row") or self._row),
                str(found["data-column"]),
                str(found["data-value"] or ""),
                links_to=found.get("href"),
            )
            self.figures.append(figure)
            self._open.append((tag, figure))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        if tag == "code":
            self._query, self._code = None, False
        if tag in ("script", "style"):
            self._hidden, self._script = False, None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            name = self._script.get("id") or ""
            if self._script.get("type") is None:
                self.scripts.append(data)
            elif name and name.startswith("data-"):
                self.charts[name.removeprefix("data-")] = json.loads(data)
        if self._hidden:
            return
        self.text += data
        self.prose += "" if self._code else data
        if self._query:
            self.queries[self._query] += data
        for _, figure in self._open:
            figure.text += data


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


def number_in(text: str) -> tuple[float, float] | None:
    """The number that a text begins with, and half of its last decimal place, both in the unit of the figure."""
    found = re.match(r"([−+]?)\$?([\d,]+(?:\.(\d+))?)(?:\u202f([A-Za-z]+))?", text.strip())
    if found is None:
        return None
    sign, digits, decimals, word = found.groups()
    scale = _SCALE.get(word or "", 1.0)
    value = float(digits.replace(",", "")) * scale * (-1 if sign == "−" else 1)
    return value, 0.5 * 10.0 ** -len(decimals or "") * scale


def differences(page: Page, warehouse: Path) -> tuple[int, list[str]]:
    """How many figures and chart points were compared with the answers of the page's own queries, and what differs.

    A figure is compared as stored, to the last digit, and as shown, within half of its last decimal.
    """
    compared, wrong = 0, []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        # The queries are run as the page shows them; the view that some ask again and again is worked out once.
        connection.execute(
            "create temp table lineage as select distinct table_name, row_key, input_id, payload_id from main.lineage"
        )
        answers: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        for name, sql in page.queries.items():
            result = connection.execute(sql)
            answers[name] = ([d[0] for d in result.description or []], result.fetchall())
    for figure in page.figures:
        columns, rows = answers[figure.query]
        value = rows[figure.row][columns.index(figure.column)]
        compared += 1
        if figure.stored != ("" if value is None else str(value)):
            wrong.append(f"{figure}: the warehouse has {value!r}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            shown = number_in(figure.text)
            if shown is None or abs(shown[0] - value) > shown[1] * (1 + 1e-9):
                wrong.append(f"{figure}: shows {figure.text.strip()!r} for {value!r}")
    for query, column, numbers, points in page.sparklines:
        columns, rows = answers[query]
        course = [rows[n][columns.index(column)] for n in numbers]
        compared += len(course)
        heights = [float(point.partition(",")[2]) for point in points.split()]
        low, high = min(course), max(course)
        wanted = [24 * (high - value) / ((high - low) or 1) for value in course]
        if len(heights) != len(wanted) or any(abs(a - b) > 0.01 for a, b in zip(heights, wanted, strict=True)):
            wrong.append(f"a sparkline of {query} rows {numbers} is not its column {column}")
    for chart, spec in page.charts.items():
        for trace in spec["data"]:
            if "meta" not in trace:
                continue
            columns, rows = answers[trace["meta"]["query"]]
            where = {columns.index(c): v for c, v in trace["meta"].get("where", {}).items()}
            column = columns.index(trace["meta"]["column"])
            wanted = [row[column] for row in rows if all(row[n] == v for n, v in where.items())]
            drawn = trace[trace["meta"].get("axis", "y")]
            compared += len(wanted)
            same = len(wanted) == len(drawn) and all(
                a is b is None or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12))
                for a, b in zip(wanted, drawn, strict=True)
            )
            if not same:
                wrong.append(f"{chart}: {trace['name']} is not the column {trace['meta']}")
    return compared, wrong
