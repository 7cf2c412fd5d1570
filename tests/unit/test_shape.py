"""The shape of an answer: columns, labels and units without figures. Documents made up in the formats of publishers."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from pathlib import Path

import pytest

from pipelines.sources import _shape
from tests.recordings import Recordings
from tests.replay_routes.federal_reserve import Item, archive, document


def shape(body: bytes) -> _shape.Shape:
    return _shape.of(body, "source")


def drift(old: bytes, new: bytes) -> list[tuple[str, str]]:
    return list(_shape.difference(shape(old), shape(new)))


def rows(*records: dict[str, object]) -> bytes:
    return json.dumps(records).encode()


def release(unit: str, *names: str) -> bytes:
    items = [Item(name, "9", [("2026-08-20", "4.1", "A")], unit) for name in names]
    return archive("h15", document("h15", items))


def page(*lines: str) -> bytes:
    cells = "".join(f"<tr><td>{line.replace('|', '</td><td>')}</td></tr>" for line in lines)
    return f"<html><body><table>{cells}</table></body></html>".encode()


CSV = b"date,Unit,value\n2026-08-20,USD,1.5\n2026-08-21,USD,1.6\n2026-08-22,US"
TABLE = page("Metal|Stock (tonnes)", "Copper|12", "21. August 2026|13")
CASES = {
    "csv column": (CSV, CSV.replace(b"value", b"figure"), [("column", "columns missing: 'value'; new: 'figure'")]),
    "csv unit": (
        CSV, CSV.replace(b"USD", b"EUR"), [("unit", "units missing: 'Unit: USD'; new: 'Unit: EUR'")],
    ),
    "unit in a name": (
        b"day,Generation (TWh)\n1,2\n", b"day,Generation (GWh)\n1,2\n",
        [("unit", "another unit: 'Generation (GWh)' in place of 'Generation (TWh)'")],
    ),
    "no header": (
        b'"GOLD - CME",260818,2026-08-18,1\n', b'"GOLD - CME",260825,2026-08-25,1,2\n',
        [("column", "columns missing: '4 columns'; new: '5 columns'")],
    ),
    "json field": (rows({"a": 1}), rows({"a": 2, "b": {"c": 1}}), [("column", "columns new: '[].b', '[].b.c'")]),
    "json unit": (
        rows({"currency": "USD", "v": 1}), rows({"currency": "USc", "v": 100}),
        [("unit", "units missing: '[].currency: USD'; new: '[].currency: USc'")],
    ),
    "json table": (
        json.dumps([["GEN_VAL", "time"], ["1", "2026-07"]]).encode(),
        json.dumps([["GEN_VAL", "YEAR"], ["1", "2026"]]).encode(),
        [("column", "columns missing: '[].time'; new: '[].YEAR'")],
    ),
    "page label": (TABLE, TABLE.replace(b"Copper", b"Kupfer"), [("label", "labels missing: 'Copper'; new: 'Kupfer'")]),
    "archive": (release("Percent", "A"), release("Percent:_Per_Year", "A"), [
        ("unit", "units missing: 'H#_data.xml: kf:Series@UNIT: Percent'; new: 'H#_data.xml: kf:Series@UNIT: "
         "Percent:_Per_Year'"),
    ]),
    "format": (CSV, rows({"error": "moved"}), [("format", "JSON in place of text")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_changed_is_named(case: str) -> None:
    old, new, expected = CASES[case]
    assert drift(old, new) == expected
    assert drift(old, old) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CSV, CSV + b"D,1.7\n2026-08-23,USD,9\n"),
        (TABLE, TABLE.replace(b"21. August", b"4. September").replace(b"12", b"99,5")),
        (rows({"d": "2026-08-20"}), rows({"d": "2026-08-21"}, {"d": "2026-08-22"})),
        (json.dumps({"202607": {"v": 1}}).encode(), json.dumps({"202608": {"v": 1}}).encode()),
        (release("Percent", "A"), release("Percent", "A", "B")),
    ],
)
def test_newer_figures_are_no_drift(old: bytes, new: bytes) -> None:
    assert drift(old, new) == []


def test_a_large_map_is_keyed_by_its_names() -> None:
    tags = {f"Tag{chr(65 + n % 26)}{n}": {"units": {"USD": [1]}} for n in range(100)}
    fewer = dict(list(tags.items())[:80])
    assert drift(json.dumps({"facts": tags}).encode(), json.dumps({"facts": fewer}).encode()) == []


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("data.txt", b"a\tb\n" + b"0" * 200_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    "body",
    [b"", b"[" * 100_000, b"{", b"PK\x03\x04cut", b"\xd0\xcf\x11\xe0cut", b"<table><tr><td>cut", b'a,"b\n', b"\xff\xfe",
     _bomb(), b"1" * 250_000 + b"a,b\n1,2\n", b'{"' + b"k" * 9_000 + b'": ' + b'{"k": ' * 900 + b"1" + b"}" * 901,
     b"[NaN]", b"<?xml version='1.0'?>" + b"<a b=\"" * 30_000, b'{"a": "\\ud800"}'],
    ids=range(14),
)  # fmt: skip
def test_an_answer_that_is_none_has_a_shape_within_bounds(body: bytes) -> None:
    assert shape(body).format
    assert drift(body, body) == []


# Vintages of one file: path of each, oldest first, and what changed between them.
VINTAGES: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "pink sheet, two years": (
        [f"worldbank/{day}/CMO-Historical-Data-Monthly.xlsx" for day in ("2024-10-11", "2026-03-05", "2026-07-07")], [],
    ),
    "cftc, five weeks": ([f"cftc/2026-{day}/deafut.txt" for day in ("04-07", "06-09", "06-23", "07-07", "08-04")], []),
    "gpr": ([f"uncertainty/2026-{day}/data_gpr_export.xls" for day in ("03-22", "08-18")], []),
    "fred's header of December 2024": (
        ["fred/2024-12-15/INDPRO.csv", "fred/2026-08-06/INDPRO.csv"],
        [("column", "columns missing: 'DATE'; new: 'observation_date'")],
    ),
    "epu's sheets, renamed in 2025": (
        [f"uncertainty/2025-{day}/US_Policy_Uncertainty_Data.xlsx" for day in ("03-06", "11-15")],
        [("column", "columns missing: 'sheet Components', 'sheet Main Index'; new: 'sheet Legacy Three Component EPU', "
          "'sheet Main News Index'")],
    ),
}  # fmt: skip


@pytest.mark.recorded
@pytest.mark.parametrize("case", VINTAGES)
def test_recorded_vintages_differ_where_the_publisher_changed_something(case: str, recordings: list[Path]) -> None:
    files, expected = VINTAGES[case]
    bodies = [Recordings(recordings).path(file).read_bytes() for file in files]
    assert [d for old, new in itertools.pairwise(bodies) for d in drift(old, new)] == expected
