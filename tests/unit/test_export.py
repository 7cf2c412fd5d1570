"""`metals export` to CSV and Excel: values keep their kind, and text of publishers becomes no formula."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import fastexcel
import pytest

from pipelines import warehouse
from pipelines.errors import MetalsError
from pipelines.reporting import export

HOSTILE = ("=cmd|' /c calc'!A0", "+1", "-x", "@sum(a1)", "\t=1", "\r=1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    warehouse.create(tmp_path / "given.duckdb")
    with duckdb.connect(str(tmp_path / "given.duckdb")) as opened:
        opened.execute('create table t ("te""xt" varchar, price double, day date, known_at timestamp, n hugeint)')
        for text in (*HOSTILE, "copper", None):
            row = [text, -1.5, "2026-08-21", "2026-08-21 22:30:00", 2**70]
            opened.execute("insert into t values (?, ?, ?, ?, ?)", row)
        opened.execute("insert into t (n, price) values (1, 'NaN')")
        yield opened


def test_a_workbook_has_numbers_days_and_text_and_no_formula(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "t.xlsx"
    assert export.export(connection, "t", target)[0] == 9
    with zipfile.ZipFile(target) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    book = fastexcel.read_excel(target)
    assert book.sheet_names == ["rows", "about"]
    rows = book.load_sheet("rows").to_polars()
    assert rows.columns == ['te"xt', "price", "day", "known_at", "n"]
    assert rows['te"xt'][:4].to_list() == list(HOSTILE[:4])
    assert rows.row(0)[1:3] == (-1.5, datetime(2026, 8, 21))  # noqa: DTZ001 - a day of Excel has no zone
    assert rows.row(0)[3:] == (datetime(2026, 8, 21, 22, 30), str(2**70))  # noqa: DTZ001
    assert rows.row(8) == (None, None, None, None, "1")
    assert 'from "t"' in book.load_sheet("about", header_row=None).to_polars().row(0)


def test_a_csv_file_has_an_apostrophe_before_what_a_spreadsheet_would_compute(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "t.csv"
    export.export(connection, "t", target)
    found = connection.execute(f"from read_csv('{target}', all_varchar = true)").fetchall()
    assert [text for text, *_ in found[:8]] == [*(f"'{text}" for text in HOSTILE), "copper", None]
    assert {price for _, price, *_ in found[:8]} == {"-1.5"}, "a negative number stays one"


def test_what_excel_cannot_hold_is_refused_and_leaves_no_file(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MetalsError, match="said has a text of 40,000 characters"):
        export.export(connection, "select repeat('x', 40000) as said", tmp_path / "long.xlsx")
    monkeypatch.setattr(export, "XLSX_ROWS", 8)
    with pytest.raises(MetalsError, match="a sheet of Excel holds 8 rows"):
        export.export(connection, "t", tmp_path / "many.xlsx")
    assert [p.name for p in tmp_path.iterdir() if "xlsx" in p.name] == []
