"""The rows of a query as text: whole at every width, in every format."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from rich.console import Console

from pipelines.reporting import progress, rows
from pipelines.reporting.rows import Format

FRAME = pl.DataFrame(
    {
        "metal_id": ["copper", "tin"],
        "price_of_a_very_long_name_usd_per_tonne": [14256.84, 1354.0],
        "ratio": [0.00003, None],
        "known_at": [datetime(2026, 8, 21, 22, 30), datetime(2026, 8, 2)],  # noqa: DTZ001 - UTC, as the warehouse has it
        "day": [date(2026, 8, 21), date(2026, 8, 2)],
        "said": ["a sentence that is longer than any column of text may be on a narrow terminal", "a | b\nc"],
        "tags": [["a", "b"], []],
    }
)


def shown(
    frame: pl.DataFrame, form: Format = Format.AUTO, width: int | None = None, limit: int | None = None
) -> tuple[str, str]:
    """What goes to standard output and error, on a terminal of `width` characters or, without one, into a pipe."""
    out, errors = (Console(file=io.StringIO(), force_terminal=width is not None, width=width or 80, color_system=None)
                   for _ in range(2))  # fmt: skip
    rows.show(out, errors, frame, form, limit)
    return out.file.getvalue(), errors.file.getvalue()  # type: ignore[attr-defined]


def test_an_answer_without_rows_says_so_beside_the_headings() -> None:
    assert shown(FRAME.clear(), Format.CSV) == (",".join(FRAME.columns) + "\n", "no rows\n")
    assert shown(FRAME, Format.CSV)[1] == ""


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_no_column_and_no_digit_is_lost_on_a_terminal(width: int) -> None:
    said, _ = shown(FRAME, width=width)
    joined = re.sub(r"\s", "", said)
    for name in FRAME.columns:
        assert name in joined or all(word in said for word in name.split("_"))
    for figure in ("14256.84", "1354", "0.00003", "NULL", "2026-08-21 22:30:00", "2026-08-21", '["a", "b"]'):
        assert figure in said
    if "-- row 1" not in said:
        assert max(map(len, said.splitlines())) <= width


def test_a_table_too_wide_for_the_terminal_is_one_row_a_block_and_says_so() -> None:
    said, why = shown(FRAME, width=60)
    assert said.startswith("-- row 1\nmetal_id")
    assert re.search(r"7 columns need \d+ characters, of 60: one row a block", why)
    table, why = shown(FRAME, Format.TABLE, width=60)
    assert ("-- row" in table, why) == (False, "")


def test_a_long_heading_wraps_before_figures_do() -> None:
    frame = pl.DataFrame({"a_very_long_heading_of_a_column_pct": [1.5], "day": [date(2026, 8, 21)]})
    said, _ = shown(frame, width=24)
    assert "-- row" not in said
    assert "2026-08-21" in said
    assert "heading_" in said


def test_a_pipe_gets_every_row_whole_on_one_line_each() -> None:
    many = pl.DataFrame({"n": range(100), "text": ["x" * 300] * 100})
    said, why = shown(many)
    lines = said.splitlines()[2:]
    assert [line.split() for line in lines] == [[str(n), "x" * 300] for n in range(100)]
    assert why == ""
    said, why = shown(many, limit=3)
    assert (len(said.splitlines()), why) == (5, "3 of 100 rows shown (--rows)\n")
    assert "40 of 100 rows shown" in shown(many, width=400)[1]


def test_csv_holds_what_the_frame_holds() -> None:
    said, _ = shown(FRAME, Format.CSV)
    first, second = csv.DictReader(io.StringIO(said))
    assert first["price_of_a_very_long_name_usd_per_tonne"] == "14256.84"
    assert float(first["ratio"]) == 0.00003
    assert (second["ratio"], second["said"]) == ("", "a | b\nc")
    assert first["known_at"] == "2026-08-21 22:30:00"


def test_json_has_numbers_nulls_and_times_with_a_zone() -> None:
    first, second = json.loads(shown(FRAME, Format.JSON)[0])
    assert first["ratio"] == 0.00003
    assert first["known_at"] == "2026-08-21T22:30:00Z"
    assert (second["ratio"], second["tags"], second["day"]) == (None, [], "2026-08-02")
    assert json.loads(shown(FRAME.head(0), Format.JSON)[0]) == []


def test_markdown_is_a_table_whatever_the_cells_hold() -> None:
    lines = shown(FRAME, Format.MARKDOWN)[0].splitlines()
    assert len(lines) == 4
    assert lines[1] == "| --- | ---: | ---: | --- | --- | --- | --- |"
    assert r"a \| b c" in lines[3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00003, "0.00003"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (13540000000000.5, "13540000000000.5"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (None, "NULL"),
        (True, "True"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_a_figure_is_shown_with_all_its_digits(value: object, text: str) -> None:
    assert rows.shown(value) == text


def test_json_of_what_python_knows_and_json_does_not() -> None:
    content = {
        "d": Decimal("1.5"),
        "n": Decimal(3),
        "x": float("inf"),
        "t": datetime(2026, 1, 1, tzinfo=UTC),
        1: date(2026, 1, 1),
    }
    assert json.loads(rows.as_json(content)) == {
        "d": 1.5,
        "n": 3,
        "x": None,
        "t": "2026-01-01T00:00:00Z",
        "1": "2026-01-01",
    }


@pytest.mark.parametrize("form", list(Format))
def test_codes_and_blanks_in_a_text_stay_as_they_are(form: Format) -> None:
    console = Console(file=io.StringIO(), width=80, emoji=False)
    rows.show(console, console, pl.DataFrame({"a": ["a:b:c :100: [bold]x[/]"]}), form)
    assert "a:b:c :100: [bold]x[/]" in console.file.getvalue()  # type: ignore[attr-defined]
    if form in (Format.CSV, Format.JSON):
        said, _ = shown(pl.DataFrame({"a": ["x\ty\rz"]}), form)
        assert "x\ty\rz" in said if form is Format.CSV else json.loads(said) == [{"a": "x\ty\rz"}]


def test_a_terminal_is_not_sent_what_it_would_obey() -> None:
    for form in Format:
        console = progress._Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
        rows.show(console, console, pl.DataFrame({"a": ["x\x1b[2J\x9by"]}), form)
        assert not re.search("[\x1b\x9b]", console.file.getvalue()), form  # type: ignore[attr-defined]
