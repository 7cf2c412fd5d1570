"""The module of the legacy weekly file on single lines in the recorded shape, whole and broken."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, cftc_legacy


def series(code: str, column: str) -> Series:
    return Series(
        id=f"m{code}_{column}",
        source="cftc_legacy",
        title=column,
        publisher="CFTC",
        select={"code": code, "column": column},
        unit="contracts",
        frequency=Frequency.DAILY,
        plausible=(0, 10000000),
        publication_lag_days=6,
        staleness_limit_days=20,
        licence="public domain",
        history=History.STABLE,
        description=column,
    )


CATALOG = Catalog(
    [],
    [
        series("085692", "open_interest"),
        series("085692", "noncommercial_long"),
        series("085692", "noncommercial_short"),
        series("088691", "noncommercial_long"),
    ],
    [],
    [],
)
# open interest, non-commercial long, short, spread, commercial long, short, reportable long, short, others long, short
POSITIONS = [100, 40, 10, 5, 35, 60, 80, 75, 20, 25]


def line(code: str, name: str = "A METAL - AN EXCHANGE", positions: list[int] | None = None) -> list[str]:
    cells = [name, "260804", "2026-08-04", code, "CMX ", "01", f"{code[:3]} "]
    cells += [f"{figure:8}" for figure in positions or POSITIONS]
    cells += ["       0"] * (125 - len(cells))
    return [*cells, "(CONTRACTS OF 25,000 POUNDS)", code, "CMX ", f"{code[:3]} "]


def file(*lines: list[str]) -> bytes:
    out = io.StringIO()
    for cells in lines:
        out.write(f'"{cells[0]}",' + ",".join(f'"{c}"' if "," in c else c for c in cells[1:]) + "\r\n")
    return out.getvalue().encode()


def test_a_market_is_found_by_its_code_whatever_its_name() -> None:
    body = file(line("133741", "BITCOIN - CME, INC."), line("085692", "COPPER, HIGH GRADE - COMEX"), line("088691"))
    parsed = cftc_legacy.parse(body, "deafut", CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    day = date(2026, 8, 4)
    assert parsed.observations.sort("series_id").rows() == [
        ("m085692_noncommercial_long", day, 40.0, 0, "line 2 (085692)"),
        ("m085692_noncommercial_short", day, 10.0, 0, "line 2 (085692)"),
        ("m085692_open_interest", day, 100.0, 0, "line 2 (085692)"),
        ("m088691_noncommercial_long", day, 40.0, 0, "line 3 (088691)"),
    ]
    assert parsed.rejects.is_empty()


def changed(position: int, text: str) -> list[str]:
    cells = line("085692")
    cells[position] = text
    return cells


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (line("085692")[:-1], "has 128 columns, not 129"),
        (changed(cftc_legacy.YYMMDD, "260728"), "is dated 260728 and 2026-08-04"),
        (changed(cftc_legacy.CODE_REPEATED, "085691"), "is of contract 085692 and 085691"),
        (changed(8, "4O"), "a position that is no number: could not convert string to float: '4O'"),
        # One column to the left: everything is a number, and nothing adds up.
        (
            line("085692", positions=[*POSITIONS[1:], 0]),
            "reportable_long 75 is not the sum of noncommercial_long, noncommercial_spread, commercial_long",
        ),
        (
            line("085692", positions=[101, *POSITIONS[1:]]),
            "open_interest 101 is not the sum of reportable_long, nonreportable_long",
        ),
    ],
)
def test_a_line_that_is_not_what_it_is_taken_for_is_rejected_alone(broken: list[str], reason: str) -> None:
    parsed = cftc_legacy.parse(file(broken, line("088691")), "deafut", CATALOG)
    [(series_id, row, told)] = parsed.rejects.rows()
    assert (series_id, row) == (None, "line 1 (A METAL - AN EXCHANGE)")
    assert reason in told
    assert parsed.observations["series_id"].to_list() == ["m088691_noncommercial_long"]


def test_a_market_that_nobody_tracks_may_be_broken() -> None:
    assert cftc_legacy.parse(file(line("133741")[:50], line("088691")), "deafut", CATALOG).rejects.is_empty()


def test_a_market_that_stands_twice_is_rejected_both_times() -> None:
    parsed = cftc_legacy.parse(file(line("088691"), line("088691")), "deafut", CATALOG)
    assert parsed.observations.is_empty()
    assert parsed.rejects["reason"].to_list() == ["period 2026-08-04 is in the payload more than once"] * 2


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html><body>moved</body></html>", "no line has 129 columns; the first has 1"),
        (b"", "no line has 129 columns; the first has 0"),
        (file(line("133741")), "holds none of the catalogued markets"),
        (file(line("088691"))[:-900] + b'"', "no line has 129 columns|not readable as CSV"),
        (file([*line("088691"), "one more"]), "the first has 130"),
    ],
)
def test_a_file_of_another_shape_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        cftc_legacy.parse(body, "deafut", CATALOG)


def test_names_with_commas_would_break_a_cut_at_commas() -> None:
    body = file(line("088691", "GOLD, FINE - COMEX"))
    assert len(body.decode().strip().split(",")) == 131
    assert [len(cells) for cells in csv.reader(io.StringIO(body.decode()))] == [129]


def test_one_file_is_asked_for() -> None:
    [request] = cftc_legacy.plan(CATALOG, date(2026, 11, 22))
    assert (request.key, request.url) == ("deafut", "https://www.cftc.gov/dea/newcot/deafut.txt")
    with pytest.raises(BadPayload, match="no catalogued series reads 'f_disagg'"):
        cftc_legacy.parse(b"", "f_disagg", CATALOG)
