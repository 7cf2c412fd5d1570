"""Seeded mutations of a payload, by bytes and by structure. Each returns the number of places it touched.

`touched` 0 means that no figure was changed: rows may then be missing, but none may differ.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NUMBER = re.compile(rb"(?<![\w.#&-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w-])")
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
# In place of a figure: what a publisher's program may write by mistake, and what only looks like a number.
ODD_NUMBERS = (
    "0", "-0", "NaN", "nan", "Infinity", "-Infinity", "inf", "1e308", "-1e308", "1e400", "9" * 400, "", " ", "null",
    "None", "abc", "1_000", "0x10", "١٢٣", "１２３", "1,234.5", "1.234,5", "1e-400", "+5", "5-", "(5)", "5%", "--",
    "\x00", "true", "{}", "[]", "2026-13-45", "12:00", "#DIV/0!", "=1+1", "9223372036854775808", "-9223372036854775809",
)  # fmt: skip
NESTED = 100_000
MARK = "\x01number:"  # keeps a JSON number's own digits through a change of its document


@dataclass(frozen=True)
class Mutation:
    name: str
    body: bytes
    touched: int


Mutator = Callable[[bytes, random.Random], "Mutation | None"]


def mutate(body: bytes, rng: random.Random, positional: bool = False) -> Mutation:
    """One mutation of `body`; `positional`: its columns have no names, so that columns cannot change places."""
    kinds = [*BYTES, *BYTES]
    head = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(ZIP):
        kinds += [_inside_a_zip] * 24
    elif head.startswith((b"{", b"[")):
        kinds += [*JSON, *JSON, *TEXT]
    elif head.startswith(b"<"):
        kinds += [*MARKUP, *MARKUP, *TEXT]
    elif not body.startswith(OLE):
        kinds += [*(k for k in TABLE if not (positional and k is _columns_change_places)), *LINES, *TEXT]
    for _ in range(20):
        mutation = rng.choice(kinds)(body, rng)
        if mutation is not None and mutation.body != body:
            return mutation
    return _cut(body, rng)


# bytes


def _cut(body: bytes, rng: random.Random) -> Mutation:
    return Mutation("cut", body[: rng.randrange(len(body))], 0)


def _cut_near_the_end(body: bytes, rng: random.Random) -> Mutation:
    return Mutation("cut near the end", body[: -rng.randint(1, min(64, len(body) - 1))], 0)


def _flip_bits(body: bytes, rng: random.Random) -> Mutation:
    flipped, bits = bytearray(body), rng.choice((1, 1, 3, 8, 32))
    for _ in range(bits):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return Mutation(f"flip {bits} bits", bytes(flipped), bits)


def _lose_a_piece(body: bytes, rng: random.Random) -> Mutation:
    start = rng.randrange(len(body))
    return Mutation("lose a piece", body[:start] + body[start + rng.choice((1, 2, 7, 100, 5000)) :], 3)


def _repeat_a_piece(body: bytes, rng: random.Random) -> Mutation:
    start, length = rng.randrange(len(body)), rng.choice((1, 2, 7, 100, 5000))
    return Mutation("repeat a piece", body[: start + length] + body[start:], 3)


def _random_bytes(body: bytes, rng: random.Random) -> Mutation:
    start, length = rng.randrange(len(body)), rng.choice((1, 4, 64))
    return Mutation("random bytes", body[:start] + rng.randbytes(length) + body[start + length :], length)


def _twice(body: bytes, rng: random.Random) -> Mutation:
    return Mutation("the body twice", body + body, 0)


def _other_bytes_altogether(body: bytes, rng: random.Random) -> Mutation:
    choices = (
        b"",
        b"\x00" * 1000,
        b"null",
        b"[]",
        b"{}",
        b"<html><body>Error</body></html>",
        rng.randbytes(2000),
        b"0",
    )
    return Mutation("other bytes", rng.choice(choices), 0)


def _nested(body: bytes, rng: random.Random) -> Mutation:
    opened, closed = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"<table><tr><td>", b""), (b"(", b")")))
    inner = rng.choice((b"1", body[:2000]))
    return Mutation("nested deep", opened * NESTED + inner + closed * NESTED, 0)


def _a_value_nested(body: bytes, rng: random.Random) -> Mutation | None:
    found = _a_number(body, rng)
    if found is None:
        return None
    deep = rng.choice((b"[" * NESTED + b"]" * NESTED, b'{"a":' * NESTED + b"1" + b"}" * NESTED, b"9" * 1_000_000))
    return Mutation("a value nested deep", body[: found.start()] + deep + body[found.end() :], 1)


# text


def _a_number(body: bytes, rng: random.Random) -> re.Match[bytes] | None:
    """A number of the body, the first after a random place."""
    return NUMBER.search(body, rng.randrange(len(body))) or NUMBER.search(body)


def _an_odd_number(body: bytes, rng: random.Random) -> Mutation | None:
    found = _a_number(body, rng)
    if found is None:
        return None
    odd = rng.choice(ODD_NUMBERS)
    return Mutation(f"a number becomes {odd[:12]!r}", body[: found.start()] + odd.encode() + body[found.end() :], 1)


def _a_wrong_number(body: bytes, rng: random.Random) -> Mutation | None:
    found = _a_number(body, rng)
    if found is None:
        return None
    value = float(found.group())
    wrong = rng.choice((-value, value * 1000, value / 1000, value * 2204.62, value * 10, 0.0))
    return Mutation("a wrong number", body[: found.start()] + f"{wrong:.10g}".encode() + body[found.end() :], 1)


def _encoding(body: bytes, rng: random.Random) -> Mutation | None:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    name = rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037"))
    return Mutation(f"encoded as {name}", text.encode(name, "replace"), 0)


def _line_ends(body: bytes, rng: random.Random) -> Mutation:
    ends = rng.choice((b"\r\n", b"\r", b"\n\n"))
    return Mutation(f"lines end with {ends!r}", body.replace(b"\r\n", b"\n").replace(b"\n", ends), 0)


def _nul_bytes(body: bytes, rng: random.Random) -> Mutation:
    at = rng.randrange(len(body))
    return Mutation("NUL bytes", body[:at] + b"\x00" * 8 + body[at:], 2)


# lines and tables


def _shuffle_lines(body: bytes, rng: random.Random) -> Mutation:
    first, *rest = body.splitlines(keepends=True) or [b""]
    if rest and not rest[-1].endswith(b"\n"):
        rest[-1] += b"\n"
    rng.shuffle(rest)
    return Mutation("shuffled lines", first + b"".join(rest), 0)


def _lose_lines(body: bytes, rng: random.Random) -> Mutation:
    first, *rest = body.splitlines(keepends=True) or [b""]
    share = rng.choice((0.01, 0.1, 0.9))
    return Mutation("lost lines", first + b"".join(line for line in rest if rng.random() > share), 0)


def _repeat_lines(body: bytes, rng: random.Random) -> Mutation:
    lines = body.splitlines(keepends=True) or [b""]
    return Mutation("repeated lines", b"".join(line * rng.choice((1, 1, 1, 2)) for line in lines), 0)


def _lose_the_header(body: bytes, rng: random.Random) -> Mutation:
    return Mutation("no header", b"".join(body.splitlines(keepends=True)[1:]), 0)


def _million_blank_lines(body: bytes, rng: random.Random) -> Mutation:
    return Mutation("a million blank lines", body + rng.choice((b"\n", b",,\n")) * 1_000_000, 0)


def _table(body: bytes) -> tuple[list[list[str]], str] | None:
    text = body.decode("utf-8", "replace")
    first = text.split("\n", 1)[0]
    separator = max(",\t;", key=first.count)
    if not first.count(separator):
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        return None
    return rows, separator


def _written(rows: list[list[str]], separator: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _column(change: Callable[[list[str], int, int, int], list[str]], name: str) -> Mutator:
    def mutator(body: bytes, rng: random.Random) -> Mutation | None:
        table = _table(body)
        if table is None:
            return None
        rows, separator = table
        width = len(rows[0])
        a, b = rng.randrange(width), rng.randrange(width)
        return Mutation(name, _written([change(row, n, a, b) for n, row in enumerate(rows)], separator), 0)

    return mutator


def _swapped(row: list[str], n: int, a: int, b: int) -> list[str]:
    row = list(row)
    if max(a, b) < len(row):
        row[a], row[b] = row[b], row[a]
    return row


_columns_change_places = _column(_swapped, "columns change places")
_lose_a_column = _column(lambda row, n, a, b: row[:a] + row[a + 1 :], "a column is gone")
_add_a_column = _column(lambda row, n, a, b: [*row[:a], "new" if n == 0 else "7", *row[a:]], "a column more")
_repeat_a_column = _column(lambda row, n, a, b: [*row, *row[a : a + 1]], "a column twice")
_rename_a_column = _column(
    lambda row, n, a, b: [*row[:a], row[a] + "_v2", *row[a + 1 :]] if n == 0 else row, "a column renamed"
)


# JSON


def _json(body: bytes) -> Any:
    def kept(text: str) -> str:
        return MARK + text

    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=kept, parse_int=kept)
    except (ValueError, RecursionError):
        return None


def _dumped(document: Any) -> bytes:
    text = json.dumps(document, ensure_ascii=False)
    return re.sub(r'"\\u0001number:([^"]*)"', r"\1", text).encode()


def _nodes(document: Any) -> list[Any]:
    """Every list and object of the document, at most one from each long list of equals, so that all depths count."""
    found, queue = [], [document]
    while queue and len(found) < 3000:
        node = queue.pop(0)
        if isinstance(node, (dict, list)):
            found.append(node)
            inner = list(node.values()) if isinstance(node, dict) else node
            queue += inner[:40]
    return found


def _structure(change: Callable[[Any, random.Random], bool], name: str, touched: int = 0) -> Mutator:
    def mutator(body: bytes, rng: random.Random) -> Mutation | None:
        document = _json(body)
        nodes = _nodes(document)
        rng.shuffle(nodes)
        for node in nodes[:50]:
            if change(node, rng):
                return Mutation(name, _dumped(document), touched)
        return None

    return mutator


def _is_table(node: Any) -> bool:
    return isinstance(node, list) and len(node) > 1 and all(isinstance(item, dict) for item in node)


def _shuffle(node: Any, rng: random.Random) -> bool:
    if _is_table(node):
        rng.shuffle(node)
    return _is_table(node)


def _drop_items(node: Any, rng: random.Random) -> bool:
    if isinstance(node, list) and node:
        del node[rng.randrange(len(node))]
        return True
    return False


def _repeat_an_item(node: Any, rng: random.Random) -> bool:
    if _is_table(node):
        node.append(rng.choice(node))
    return _is_table(node)


def _drop_a_key(node: Any, rng: random.Random) -> bool:
    if isinstance(node, dict) and node:
        del node[rng.choice(list(node))]
        return True
    return False


def _rename_a_key(node: Any, rng: random.Random) -> bool:
    if isinstance(node, dict) and node:
        key = rng.choice(list(node))
        node[f"{key}_v2"] = node.pop(key)
        return True
    return False


def _drop_a_key_everywhere(node: Any, rng: random.Random) -> bool:
    if not _is_table(node) or not node[0]:
        return False
    key = rng.choice(list(node[0]))
    for item in node:
        item.pop(key, None)
    return True


def _other_type(node: Any, rng: random.Random) -> bool:
    odd = rng.choice((None, [], {}, "text", True, MARK + "5", [[]], {"a": {"b": [1]}}, [None], MARK + "1" * 400))
    if isinstance(node, dict) and node:
        node[rng.choice(list(node))] = odd
        return True
    if isinstance(node, list) and node:
        node[rng.randrange(len(node))] = odd
        return True
    return False


def _half_a_character(body: bytes, rng: random.Random) -> Mutation | None:
    """An escape that JSON can spell and no text can hold, inside a string."""
    at = body.find(b'"', rng.randrange(len(body)))
    half = rng.choice((b"\\ud800", b"\\udc00"))
    return None if at < 0 else Mutation("half a character", body[:at] + half + body[at:], 1)


# markup


def _elements(tag: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"<(" + tag + rb")\b[^>]*?(?:/>|>.*?</\1>)", re.DOTALL)


ROWS, CELLS = _elements(rb"tr|row|kf:Obs|Obs"), _elements(rb"td|th|c")


def _lose_elements(pattern: re.Pattern[bytes], name: str, touched: int) -> Mutator:
    def mutator(body: bytes, rng: random.Random) -> Mutation | None:
        found = list(pattern.finditer(body))
        if not found:
            return None
        gone = rng.choice(found)
        return Mutation(f"{name} is gone", body[: gone.start()] + body[gone.end() :], touched)

    return mutator


def _repeat_a_row(body: bytes, rng: random.Random) -> Mutation | None:
    found = list(ROWS.finditer(body))
    if not found:
        return None
    again = rng.choice(found)
    return Mutation("a row twice", body[: again.end()] + again.group() + body[again.end() :], 0)


def _entities(body: bytes, rng: random.Random) -> Mutation:
    bomb = b'<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    declaration, _, rest = body.partition(b"?>") if body.startswith(b"<?xml") else (b"<?xml version='1.0'", b"", body)
    return Mutation("entities", declaration + b"?>" + bomb + b"]>" + rest.replace(b">", b">&j;", 3), 2)


def _inside_a_zip(body: bytes, rng: random.Random) -> Mutation | None:
    """One member changed as text and packed again, so that checksums hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None
    names = sorted(members, key=lambda n: len(members[n]), reverse=True)[:3]
    name = rng.choice(names) if rng.random() < 0.9 else rng.choice(list(members))
    inner = members[name]
    if not inner:
        return None
    kinds = MARKUP if inner.lstrip().startswith(b"<") else [*TABLE, *LINES]
    change = rng.choice([*kinds, *kinds, *TEXT, *BYTES, _far_away_cell])(inner, rng)
    if change is None:
        return None
    members[name] = change.body
    if rng.random() < 0.05:
        members["../../../etc/passwd"] = b"x"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return Mutation(f"{name}: {change.name}", out.getvalue(), change.touched)


def _far_away_cell(body: bytes, rng: random.Random) -> Mutation | None:
    """A cell in the last corner of the sheet: seventeen thousand million cells, were they laid out."""
    if b"</sheetData>" not in body:
        return None
    place = rng.choice((b"XFD1048576", b"A1048576", b"XFD1"))
    row = b'<row r="%s"><c r="%s"><v>1</v></c></row>' % (place.lstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"), place)
    return Mutation(f"a cell at {place.decode()}", body.replace(b"</sheetData>", row + b"</sheetData>"), 1)


BYTES: list[Mutator] = [
    _cut, _cut_near_the_end, _flip_bits, _flip_bits, _lose_a_piece, _repeat_a_piece, _random_bytes, _twice,
    _other_bytes_altogether, _nested,
]  # fmt: skip
TEXT: list[Mutator] = [
    _an_odd_number, _an_odd_number, _an_odd_number, _a_wrong_number, _encoding, _line_ends, _nul_bytes, _a_value_nested,
]  # fmt: skip
LINES: list[Mutator] = [_shuffle_lines, _lose_lines, _repeat_lines, _lose_the_header, _million_blank_lines]
TABLE: list[Mutator] = [
    _columns_change_places, _lose_a_column, _add_a_column, _repeat_a_column, _rename_a_column,
]  # fmt: skip
JSON: list[Mutator] = [
    _structure(_shuffle, "shuffled items"),
    _structure(_drop_items, "an item is gone"),
    _structure(_repeat_an_item, "an item twice"),
    _structure(_drop_a_key, "a field is gone"),
    _structure(_rename_a_key, "a field renamed"),
    _structure(_drop_a_key_everywhere, "a field is gone from all rows"),
    _structure(_other_type, "a value of another type", touched=1),
    _half_a_character,
]
MARKUP: list[Mutator] = [
    _lose_elements(ROWS, "a row", 0),
    _lose_elements(CELLS, "a cell", 0),
    _repeat_a_row,
    _entities,
    _far_away_cell,
]
