"""The parts of a page: tables, charts, claims, sections, and sentences built from cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from pipelines.brief import formats
from pipelines.brief.answers import Answer, Answers, Cell, OwnUse
from pipelines.catalog import LicenceClass

Sentence = list[str | Cell]
# The publishers that a section uses, defaults and fallbacks: named on the page where it has no figure.
INPUTS = {
    "drivers": ("worldbank_pink_sheet", "federal_reserve", "fred", "nbs", "eastmoney", "sec_edgar"),
    "prices": ("worldbank_pink_sheet", "imf_pcps", "fred"),
    "ai": ("sec_edgar", "sec_financial_statements"),
    "money": ("eastmoney", "nbs"),
    "premium": ("yahoo", "westmetall", "lbma"),
    "coal": ("ember", "owid_energy", "nbs"),
    "seventies": ("fred", "omb", "worldbank_indicators", "worldbank_pink_sheet"),
    "divergences": ("worldbank_pink_sheet", "nbs", "eastmoney", "sec_edgar"),
    "opportunities": ("worldbank_pink_sheet", "federal_reserve", "fred", "eastmoney"),
}


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the column of the result, and a unit if the name does not give it."""

    heading: str
    column: str
    unit: str | None = None
    kind: str = ""
    """How the cell is rendered: '' by its type, 'verdict' or 'state' as a label, 'heat' as a coloured cell, 'link' as a
    link, 'text' as running text, 'if_any' empty if there is no value."""


@dataclass(frozen=True)
class Table:
    """Rows of a query result. The first column names the row."""

    query: str
    caption: str
    columns: Sequence[Column]
    rows: list[list[Cell]]
    numbers: list[int]
    """The numbers of the rows in the result."""
    links: dict[int, str] = field(default_factory=dict)
    """The URL of the publisher's document, by row number."""
    folded: bool = False
    """Whether the table is collapsed under a summary."""
    printed: bool = False
    """Whether it is opened on paper."""
    listed: bool = False
    """Whether its rows are the items of a list, which a phone does not have to scroll sideways."""

    @cached_property  # the page asks for every cell
    def numeric(self) -> set[str]:
        """Columns that hold numbers."""
        return {c.column for row in self.rows for c in row if c.is_number}

    @property
    def lines(self) -> list[tuple[int, list[tuple[Column, Cell]]]]:
        return [(n, list(zip(self.columns, row, strict=True))) for n, row in zip(self.numbers, self.rows, strict=True)]


@dataclass(frozen=True)
class Chart:
    """A Plotly figure with its texts: title, a sentence on what it shows, source, data as a table."""

    id: str
    title: str
    alt: str
    figure: dict[str, Any]
    data: Table
    credits: list[str]
    newest: str
    tall: bool = False


@dataclass(frozen=True)
class Missing:
    """Inputs that a section lacks, and why."""

    titles: str
    why: str


@dataclass
class Section:
    """A part of the page."""

    id: str
    title: str
    says: Sentence
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    credits: list[str] = field(default_factory=list)
    """Titles of the publishers behind it."""
    has_data: bool = True
    short: str = ""
    """The name in the list of sections, if the title is long."""


@dataclass(frozen=True)
class Headline:
    """A figure at the top: its name, newest value, change on the one before, period and age, and its course."""

    name: Cell
    value: Cell
    change: Cell
    on: str
    """What the change is on: the month before, the quarter before."""
    period: Cell
    age_days: Cell
    course: list[Cell]
    """The figures up to the newest, oldest first."""
    path: str
    """The course as points of an SVG polyline."""


@dataclass(frozen=True)
class Month:
    """The verdict at the end of a month."""

    verdict: Cell
    as_of: Cell


@dataclass(frozen=True)
class Claim:
    """A claim: its verdict, the last that could be given where today has none, its history, a sentence, evidence."""

    id: Cell
    title: Cell
    statement: Cell
    verdict: Cell
    last: Sentence
    says: Sentence
    basis: Sentence
    """How many decisive figures are for and against."""
    limits: Sentence
    """How many are missing or ageing, and how long the evidence counts."""
    months: list[Month]
    history: str
    """The history in words."""
    evidence: Table | None
    is_own: bool
    """Whether it is of the user's overlay."""


@dataclass(frozen=True)
class Brief:
    """The whole page."""

    as_of: Cell
    made_at: str
    unreached: Sentence
    """That no publisher was reached, and until when the evidence was up to date; empty otherwise."""
    view: list[tuple[str, Sentence]]
    headlines: list[Headline]
    sections: list[Section]
    claims: list[Claim]
    own_use: OwnUse
    queries: list[Answer]


def table(
    answer: Answer, caption: str, columns: Sequence[Column], rows: Iterable[int] | None = None,
    *, link: str | None = None, folded: bool = False, printed: bool = False,
    listed: bool = False,
) -> Table:  # fmt: skip
    """A table of the rows of a result (all by default). `link` names the column that holds a URL for the row."""
    numbers = list(range(len(answer)) if rows is None else rows)
    links = {}
    if link:
        # A URL comes from a publisher: anything but a plain web address is shown as text.
        links = {n: u for n in numbers if (u := answer.frame[link][n]) and str(u).startswith(("https://", "http://"))}
    cells = [[answer.cell(n, c.column, c.unit) for c in columns] for n in numbers]
    return Table(answer.name, caption, columns, cells, numbers, links, folded, printed, listed)


def missing(answers: Answers, source_ids: Sequence[str]) -> list[Missing]:
    """The publishers of a section that have no data, and why."""
    sources = answers["sources"]
    found: dict[str, list[str]] = {}
    for n in range(len(sources)):
        row = sources.frame.row(n, named=True)
        if row["source_id"] not in source_ids or row["state"] != "missing":
            continue
        if row["licence_class"] == LicenceClass.PERSONAL_USE.value:
            why = "licensed for personal use only; METALS_PERSONAL_USE=true switches them on"
        elif row["last_outcome"] == "waiting":
            why = "fetched, but parsing timed out; the next run tries again"
        elif row["last_outcome"] in ("failed", "blocked", "refused"):
            why = f"{row['last_outcome']} when last fetched on {formats.day(row['last_asked_at'].date())}"
        elif row["last_asked_at"] is None:
            why = "never fetched (offline, switched off or without an API key), and not shipped with the project"
        else:
            why = "fetched, but without data for these series"
        found.setdefault(why, []).append(row["title"])
    return [Missing(words(titles), why) for why, titles in found.items()]


def listed(parts: Sequence[Sentence]) -> Sentence:
    """Parts joined as in a sentence: one, two and three."""
    joined: Sentence = []
    for n, part in enumerate(parts):
        joined += [*([] if n == 0 else [" and " if n == len(parts) - 1 else ", "]), *part]
    return joined or ["none"]


def words(words: Sequence[str]) -> str:
    return "".join(str(part) for part in listed([[word] for word in words]))


def chart(
    answers: Answers, name: str, title: str, alt: str, figure: Any, data: Table, tables: Sequence[str], newest: object,
    *, tall: bool = False, period: str = "period",
) -> Chart:  # fmt: skip
    said = formats.written(newest, period) if isinstance(newest, date) else ""
    return Chart(name, title, alt, figure.to_plotly_json(), data, answers.credits(*tables), said, tall)
