"""The queries of the brief and their results: each is run once, exactly as shown on the page.

Figures that derive from data licensed for personal use are left out here, by lineage, in the SQL itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import jinja2
import polars as pl
import polars.selectors as cs

from pipelines import view, warehouse
from pipelines.brief import formats
from pipelines.catalog import LicenceClass

# Made once: an environment keeps the templates that it has compiled.
_TEMPLATES = jinja2.Environment(  # noqa: S701 - SQL, from our own files
    loader=jinja2.FileSystemLoader([Path(__file__).parent / "queries", view.FOLDER]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NOT_OWN_USE = """\
and cast({key} as varchar) not in (
        select l.row_key
        from lineage as l
        inner join raw.payload as o using (payload_id)
        inner join sources as t using (source_id)
        where l.table_name = '{table}' and t.licence_class = '{licence_class}'
    )"""


@dataclass(frozen=True)
class Cell:
    """A figure (or a text) of a query result: as displayed, as stored, and where it comes from."""

    text: str
    value: object
    query: str
    row: int
    column: str

    @property
    def stored(self) -> str:
        return "" if self.value is None else str(self.value)

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)

    @property
    def is_date(self) -> bool:
        return isinstance(self.value, date)


@dataclass(frozen=True)
class Answer:
    """The result of a query."""

    name: str
    about: str
    sql: str
    frame: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height

    def cell(self, row: int, column: str, unit: str | None = None) -> Cell:
        """A cell of the result. `unit` overrides the unit in the column's name; `@column` names a column of units."""
        value = self.frame[column][row]
        if unit and unit.startswith("@"):
            unit = self.frame[unit[1:]][row]
        return Cell(formats.written(value, column, unit), value, self.name, row, column)

    def newest(self, column: str) -> object:
        """The latest date of a column; None without rows."""
        return self.frame[column].max() if self.frame.height else None

    def has(self, column: str) -> bool:
        """Whether the column has any value."""
        return self.frame.height > 0 and self.frame[column].null_count() < self.frame.height

    def where(self, **wanted: object) -> list[int]:
        """Numbers of the rows in which the columns have these values."""
        rows = self.frame.with_row_index("row_number")
        for column, value in wanted.items():
            rows = rows.filter(pl.col(column) == value)
        return rows["row_number"].to_list()


@dataclass(frozen=True)
class OwnUse:
    """How the page treats figures licensed for personal use."""

    publishers: list[str]
    rows: int
    shown: bool

    @property
    def said(self) -> str:
        if not self.publishers:
            return "No figure in this warehouse is licensed for personal use only."
        names = "; ".join(self.publishers)
        if self.shown:
            return (
                "This page shows figures licensed for personal use only (METALS_BRIEF_PERSONAL_USE=true): do not share "
                f"it. They derive from {names}."
            )
        return (
            f"Left out: {self.rows:,} rows that derive from data licensed for personal use only ({names}). "
            "METALS_BRIEF_PERSONAL_USE=true shows them, on a page that must then not be shared."
        )


@dataclass
class Answers:
    """The query results of the brief. `asked` holds them in the order of their first use."""

    connection: duckdb.DuckDBPyConnection
    personal_use: bool
    asked: dict[str, Answer] = field(default_factory=dict)
    own_use: OwnUse = field(init=False)

    def __post_init__(self) -> None:
        # `lineage` is a view over everything; it is computed once, and this copy then shadows it in the queries.
        self.connection.execute(
            "create or replace temp table lineage as "
            "select distinct table_name, row_key, input_id, payload_id from main.lineage"
        )
        publishers = [
            title
            for (title,) in self.connection.execute(
                "select distinct s.title from raw.payload as p inner join sources as s using (source_id) "
                "where s.licence_class = ? order by 1",
                [LicenceClass.PERSONAL_USE.value],
            ).fetchall()
        ]
        rows = warehouse.one(
            self.connection,
            "select count(distinct (table_name, row_key)) from lineage inner join raw.payload using (payload_id) "
            "inner join sources using (source_id) where licence_class = ?",
            [LicenceClass.PERSONAL_USE.value],
        )
        self.own_use = OwnUse(publishers, int(rows[0]) if rows else 0, self.personal_use)

    @property
    def leaving_out(self) -> bool:
        """Whether the queries have anything to leave out."""
        return bool(self.own_use.publishers) and not self.personal_use

    def __getitem__(self, name: str) -> Answer:
        if name not in self.asked:
            text = _TEMPLATES.get_template(f"{name}.sql").render(and_not_own_use=self._and_not_own_use)
            sql = "\n".join(line.rstrip() for line in text.strip().splitlines() if line.strip() or line == "")
            about = sql.partition("\n")[0].removeprefix("-- ")
            frame = warehouse.query(self.connection, sql).with_columns(cs.float().fill_nan(None))
            self.asked[name] = Answer(name, about, sql, frame)
        return self.asked[name]

    def _and_not_own_use(self, table: str, key: str) -> str:
        if not self.leaving_out:
            return ""
        return _NOT_OWN_USE.format(table=table, key=key, licence_class=LicenceClass.PERSONAL_USE.value)

    def credits(self, *tables: str) -> list[str]:
        """The titles of the publishers behind these tables, except those that were left out."""
        rows = self.connection.execute(
            """
            select s.title
            from lineage as l
            inner join raw.payload as p using (payload_id)
            inner join sources as s using (source_id)
            where list_contains(?, l.table_name) and (? or s.licence_class <> ?)
            group by s.title
            order by count(*) desc, s.title
            """,
            [list(tables), self.personal_use, LicenceClass.PERSONAL_USE.value],
        ).fetchall()
        return [title for (title,) in rows]
