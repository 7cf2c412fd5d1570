"""The CME module on old-format workbooks with the documented labels (not recorded), and on those that are none."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, cme_stocks
from tests.replay_routes.cme_stocks import Rows, report, workbook

PARTS = (("registered", "TOTAL REGISTERED"), ("eligible", "TOTAL ELIGIBLE"), ("total", "COMBINED TOTAL"))


def series(part: str, row: str) -> Series:
    return Series(
        id=part,
        source="cme_stocks",
        title=part,
        publisher="CME Group",
        select={"file": "Gold_Stocks", "row": row, "part": part, "unit": "troy ounce"},
        unit="troy_ounces",
        frequency=Frequency.DAILY,
        plausible=(0, 1000000000),
        publication_lag_days=1,
        staleness_limit_days=10,
        licence="personal use",
        history=History.STABLE,
        description=part,
    )


CATALOG = Catalog([], [series(part, row) for part, row in PARTS], [], [])
KEY = "Gold_Stocks"
ACTIVITY, REPORTED = date(2026, 10, 8), date(2026, 10, 9)
FIGURES = {"TOTAL REGISTERED": 19000000.125, "TOTAL ELIGIBLE": 17000000.25, "COMBINED TOTAL": 36000000.375}


def gold(figures: dict[str, float] | None = None, unit: str = "Troy Ounce", activity: date = ACTIVITY) -> Rows:
    return report("Gold", unit, FIGURES if figures is None else figures, activity, REPORTED)


def values(rows: Rows) -> dict[str, float]:
    parsed = cme_stocks.parse(workbook(rows), KEY, CATALOG)
    assert parsed.rejects.is_empty()
    return dict(parsed.observations.select("series_id", "value").iter_rows())


def test_the_stocks_of_the_activity_date_are_found_by_their_labels() -> None:
    parsed = cme_stocks.parse(workbook(gold()), KEY, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("series_id").rows() == [
        ("eligible", ACTIVITY, 17000000.25, 2, "Gold_Stocks row 14"),
        ("registered", ACTIVITY, 19000000.125, 3, "Gold_Stocks row 13"),
        ("total", ACTIVITY, 36000000.375, 3, "Gold_Stocks row 15"),
    ]
    assert parsed.rejects.is_empty()


def test_remarks_in_brackets_are_no_part_of_a_label() -> None:
    figures = {"Total Registered (warranted)": 5.0, "Total Eligible (non-warranted)": 6.0, "COMBINED TOTAL": 11.0}
    assert values(gold(figures)) == {"registered": 5.0, "eligible": 6.0, "total": 11.0}


def test_rows_and_columns_may_move() -> None:
    moved = [["a note"], *([None, *row] for row in gold())]
    swapped = [[row[0], *row[:0:-1]] if len(row) == 8 else row for row in gold()]
    dated_aside: Rows = [
        ["Report Date:", None, "10/09/2026"],
        ["Activity Date:", None, "2026-10-08"],
        *(row for row in gold() if not any(isinstance(cell, str) and " Date: " in cell for cell in row)),
    ]
    texts = [[f"{c:,.3f}" if isinstance(c, float) else c for c in row] for row in gold()]
    expected = {"registered": 19000000.125, "eligible": 17000000.25, "total": 36000000.375}
    assert values(moved) == values(swapped) == values(dated_aside) == values(texts) == expected


@pytest.mark.parametrize("total", [36000000.375, 37500000.375])
def test_pledged_metal_may_stand_within_the_registered_or_beside_it(total: float) -> None:
    figures = {"TOTAL PLEDGED": 1500000.0, **FIGURES, "COMBINED TOTAL": total}
    assert values(gold(figures))["total"] == total


def test_figures_that_do_not_add_up_are_rejected_together() -> None:
    parsed = cme_stocks.parse(workbook(gold({**FIGURES, "COMBINED TOTAL": 36500000.0})), KEY, CATALOG)
    assert parsed.observations.is_empty()
    assert set(parsed.rejects["series_id"]) == {"registered", "eligible", "total"}
    assert "total 3.65e+07 is not registered" in parsed.rejects["reason"][0]


def test_a_label_that_is_gone_or_stands_twice_fails_its_row_alone() -> None:
    rows = gold({"TOTAL REGISTERED": 19000000.0, "COMBINED TOTAL": 36000000.0})
    rows += [["TOTAL REGISTERED", None, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]]
    parsed = cme_stocks.parse(workbook(rows), KEY, CATALOG)
    assert sorted(parsed.rejects.rows()) == [
        ("eligible", KEY, "0 rows 'TOTAL ELIGIBLE'"),
        ("registered", KEY, "2 rows 'TOTAL REGISTERED'"),
    ]
    assert parsed.observations.select("series_id", "value").rows() == [("total", 36000000.0)]


def test_a_cell_that_is_no_number_is_rejected_and_an_empty_one_is_missing() -> None:
    rows = gold()
    rows[12][7], rows[13][7] = "see note", None
    parsed = cme_stocks.parse(workbook(rows), KEY, CATALOG)
    assert parsed.rejects.rows() == [("registered", "Gold_Stocks row 13", "not a number: 'see note'")]
    assert dict(parsed.missing) == {"eligible": 1}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>Access Denied: automated collection</html>", "not a workbook of the old format"),
        (b"PK\x03\x04", "not a workbook of the old format"),
        (workbook(gold())[:700], "not a readable workbook"),
        (workbook(gold(unit="Short Tons")), "is in short ton, not in troy ounce"),
        (workbook(gold(activity=date(2026, 10, 10))), "activity date 2026-10-10, report date 2026-10-09"),
        (workbook([row for row in gold() if "TOTAL TODAY" not in row]), "no column 'total today'"),
        (workbook([row for row in gold() if len(row) != 7]), "activity date None"),
        (workbook(gold({})), "none of the 3 catalogued rows"),
    ],
)
def test_a_workbook_that_is_no_such_report_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        cme_stocks.parse(body, KEY, CATALOG)


def test_each_workbook_is_one_request_under_its_own_spelling() -> None:
    assert [(r.key, r.url) for r in cme_stocks.plan(CATALOG, date(2026, 11, 22))] == [
        ("Gold_Stocks", "https://www.cmegroup.com/delivery_reports/Gold_Stocks.xls")
    ]
    with pytest.raises(BadPayload, match="no catalogued series reads 'Gold_stocks'"):
        cme_stocks.parse(workbook(gold()), "Gold_stocks", CATALOG)
