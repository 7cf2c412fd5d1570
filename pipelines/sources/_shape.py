"""The shape of an answer, whoever sent it: its format, columns, labels and units, without its figures.

Two answers to the same request are compared by their shapes, so that a renamed column, a new sheet or another unit is
named before a parser trips over it, or reads on in silence. Code for a single publisher does not belong here.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, _html, _json, _sheets
from pipelines.text import printable

HEAD_BYTES = 1 << 18  # of a text, an archive's member: enough for headers and a hundred rows
ROWS = 200  # rows of a list or a table that stand for all
HEADER_ROWS = 30  # of a sheet or a page's table: notes, names and units stand above the figures
MEMBERS = 20
MAP_KEYS = 60  # an object with more names than this is a table keyed by them, not a record
MAX_WORDS = 80  # a longer text is a note
MAX_PATH = 400
MAX_UNITS = 20  # a column with more distinct texts holds no units

# A name as part of which a field says in what its figures are.
UNIT_NAME = re.compile(r"unit|currency|measure|uom|multiplier|scale|du_?name", re.IGNORECASE)
MONTH = re.compile(
    r"\b(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?"
    r"|dec(ember)?)\b\.?",
    re.IGNORECASE,
)
BRACKETS = re.compile(r"[(\[（【][^()\[\]（）【】]*[)\]）】]")
LETTER = re.compile(r"[^\W\d_]|[$€¥£%]")
NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?%?", re.IGNORECASE)
XML_NAME = re.compile(rb"<([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*\"[^\"<]*\")*)\s*/?>")
XML_ATTRIBUTE = re.compile(rb"([\w:.-]+)\s*=\s*\"([^\"<]*)\"")


@dataclass(frozen=True)
class Shape:
    """Names of columns, fields and sheets; labels in headings and first columns; texts that say a unit."""

    format: str
    columns: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()


def of(body: bytes, source: str) -> Shape:
    """The shape of `body`. Digits and names of months in labels are masked: a new day is not a new label.

    An answer that cannot be read in the format that it seems to have has a shape without names.
    """
    try:
        return _of(body, source)
    except (BadPayload, *NOT_JSON, csv.Error, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        return Shape(f"unreadable ({type(error).__name__})")


def _of(body: bytes, source: str) -> Shape:
    head = body[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(_sheets.ZIP) and b"[Content_Types].xml" not in _names(body):
        return _archive(body)
    if body.startswith((_sheets.OLE, _sheets.ZIP)):
        return _workbook(body, source)
    if head.startswith((b"{", b"[")):
        return _fields(_json.typed(body))
    if head.startswith(b"<"):
        return _xml(head) if head.startswith(b"<?xml") else _page(body)
    return _text(head)


def difference(old: Shape, new: Shape) -> Iterator[tuple[str, str]]:
    """What changed from `old` to `new`: (kind, sentence); kinds are `format`, `column`, `label` and `unit`."""
    if old.format != new.format:
        yield "format", f"{new.format} in place of {old.format}"
        return
    for kind, before, now in (
        ("column", old.columns, new.columns),
        ("label", old.labels, new.labels),
        ("unit", old.units, new.units),
    ):
        missing, fresh = before - now, now - before
        renamed = [(name, other) for name in sorted(missing) for other in sorted(fresh) if _other_unit(name, other)]
        for name, other in renamed:
            yield "unit", f"another unit: '{other}' in place of '{name}'"
        parts = [("missing", missing - {n for n, _ in renamed}), ("new", fresh - {n for _, n in renamed})]
        if any(names for _, names in parts):
            yield kind, f"{kind}s " + "; ".join(f"{word}: {_listed(names)}" for word, names in parts if names)


def _other_unit(name: str, other: str) -> bool:
    """Whether two names differ in their brackets alone, in which a unit stands: "Generation (TWh)"."""
    return bool(BRACKETS.search(name)) and BRACKETS.sub("()", name) == BRACKETS.sub("()", other) != "()"


def _listed(names: Iterable[str], shown: int = 5) -> str:
    every = sorted(names)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(f"'{name}'" for name in every[:shown]) + more


def _word(text: object) -> str | None:
    """A label without its digits and months; None for a figure, a marker or a note."""
    words = " ".join(printable(str(text or "")).split())
    if not words or len(words) > MAX_WORDS or not LETTER.search(words) or NUMBER.fullmatch(words):
        return None
    return re.sub(r"\d+([.,:/-]\d+)*", "#", MONTH.sub("month", words))


def _units(found: dict[str, set[str]]) -> frozenset[str]:
    return frozenset(f"{name}: {text}" for name, texts in found.items() if len(texts) <= MAX_UNITS for text in texts)


def _text(head: bytes) -> Shape:
    lines = head.decode("utf-8", "replace").splitlines()[: ROWS + 1]
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    header = [cell.strip()[:MAX_WORDS] for cell in rows[0]] if rows else []
    if any(NUMBER.fullmatch(cell) for cell in header):
        return Shape("text without a header", columns=frozenset({f"{len(header)} columns"}))
    units: dict[str, set[str]] = defaultdict(set)
    for row in rows[1:-1]:  # the last one may be cut
        for name, cell in zip(header, row, strict=False):
            if UNIT_NAME.search(name) and (word := _word(cell)):
                units[name].add(word)
    return Shape("text", columns=frozenset(header) - {""}, units=_units(units))


def _fields(document: Any) -> Shape:
    """Paths of the names in a JSON document: `[]` stands for the items of a list, `*` for the names of a large map."""
    paths: set[str] = set()
    units: dict[str, set[str]] = defaultdict(set)
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list) and _is_header(value):
            paths |= {f"{path}[].{name}" for name in value[0]}
        elif isinstance(value, list):
            waiting += [(f"{path}[]", item) for item in value[:ROWS]]
        elif isinstance(value, dict):
            keyed = len(value) > MAP_KEYS or any(name[:1].isdigit() for name in value)
            for name, item in list(value.items())[:ROWS] if len(path) <= MAX_PATH else ():
                place = f"{path}.{'*' if keyed else name[:MAX_WORDS]}".lstrip(".")
                paths.add(place)
                waiting.append((place, item))
                if isinstance(item, str) and UNIT_NAME.search(name) and (word := _word(item)):
                    units[place].add(word)
    return Shape("JSON", columns=frozenset(printable(path) for path in paths), units=_units(units))


def _is_header(rows: list[Any]) -> bool:
    """Whether a list is a table whose first row has the names of its columns."""
    return (
        len(rows) > 1
        and all(isinstance(row, list) for row in rows[:ROWS])
        and len(rows[0]) == len(rows[1])
        and all(isinstance(name, str) and LETTER.search(name) for name in rows[0])
    )


def _workbook(body: bytes, source: str) -> Shape:
    sheets = _sheets.read(body, source)
    names = frozenset(f"sheet {_word(sheet.name) or sheet.name}" for sheet in sheets)
    return Shape("workbook", names, _labels(sheet.texts.rows() for sheet in sheets))


def _page(body: bytes) -> Shape:
    return Shape("page", labels=_labels(_html.tables(body.decode("utf-8", "replace"))))


def _labels(tables: Iterable[Sequence[Sequence[str | None]]]) -> frozenset[str]:
    """The texts of the first rows and of the first column of each table."""
    cells = (cell for table in tables for n, row in enumerate(table) for cell in (row if n < HEADER_ROWS else row[:1]))
    return frozenset(word for cell in cells if (word := _word(cell)) is not None)


def _names(body: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "\n".join(archive.namelist()).encode("utf-8", "replace")


def _archive(body: bytes) -> Shape:
    """Members by name, and the shapes of their first HEAD_BYTES."""
    columns, units = set(), set()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for member in archive.infolist()[:MEMBERS]:
            name = _word(member.filename) or member.filename
            columns.add(name)
            with archive.open(member) as stream:
                head = stream.read(HEAD_BYTES)
            inside = _xml(head) if head.lstrip().startswith(b"<") else _text(head)
            columns |= {f"{name}: {column}" for column in inside.columns}
            units |= {f"{name}: {unit}" for unit in inside.units}
    return Shape("zip archive", columns=frozenset(columns), units=frozenset(units))


def _xml(head: bytes) -> Shape:
    """Elements with their attributes, by name; no entity is expanded and no element is built."""
    columns: set[str] = set()
    units: dict[str, set[str]] = defaultdict(set)
    for element, attributes in XML_NAME.findall(head):
        columns.add(element.decode())
        for name, value in XML_ATTRIBUTE.findall(attributes):
            place = f"{element.decode()}@{name.decode()}"
            columns.add(place)
            if UNIT_NAME.search(name.decode()) and (word := _word(value.decode("utf-8", "replace"))):
                units[place].add(word)
    return Shape("XML", columns=frozenset(columns), units=_units(units))
