"""The geopolitical risk module on small workbooks: the monthly layout as recorded, the daily one as documented."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, gpr
from tests.replay_routes.gpr import HEADER, workbook

MONTHLY, DAILY = "data_gpr_export", "data_gpr_daily_recent"


def series(series_id: str, file: str, column: str, base: str | None = None) -> Series:
    return Series(
        id=series_id,
        source="gpr",
        title=series_id,
        publisher="Caldara and Iacoviello",
        select={"file": file, "column": column} | ({"base": base} if base else {}),
        unit="index",
        frequency=Frequency.DAILY if file == DAILY else Frequency.MONTHLY,
        plausible=(0, 5000),
        publication_lag_days=5,
        staleness_limit_days=75,
        licence="citation",
        history=History.REVISED,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("recent", MONTHLY, "GPR", "1985:2019=100"),
        series("historical", MONTHLY, "GPRH", "1900:2019=100"),
        series("daily", DAILY, "GPRD", "1985:2019=100"),
        series("average", DAILY, "GPRD_MA30"),
    ],
    [],
    [],
)
ROWS = [
    ["month", "GPR", "GPRH", "var_name", "var_label"],
    ["1984-12-01 00:00:00", "", "110.25", "GPR", "Recent GPR (Index: 1985:2019=100)"],
    ["1985-01-01 00:00:00", "102.17", "87.15", "GPRH", "Historical GPR (Index: 1900:2019=100)"],
    ["", "", "", "N10", "Number of articles (10 recent newspapers, 1985-)"],
]


def book(*rows: list[str]) -> bytes:
    return workbook({"Sheet1": list(rows)})


def test_two_bases_are_two_series_and_months_before_1985_are_missing() -> None:
    parsed = gpr.parse(book(*ROWS), MONTHLY, CATALOG)
    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.rows() == [
        ("historical", date(1984, 12, 1), 110.25, 2, "Sheet1!C2"),
        ("historical", date(1985, 1, 1), 87.15, 2, "Sheet1!C3"),
        ("recent", date(1985, 1, 1), 102.17, 2, "Sheet1!B3"),
    ]
    assert parsed.missing == {"recent": 1}
    assert parsed.rejects.is_empty()


def test_a_column_on_another_base_fails_its_series_alone() -> None:
    rebased = [[cell.replace("1985:2019", "2000:2024") for cell in row] for row in ROWS]
    parsed = gpr.parse(book(*rebased), MONTHLY, CATALOG)
    assert set(parsed.observations.get_column("series_id")) == {"historical"}
    assert "not on the base 1985:2019=100" in parsed.rejects["reason"][0]


def test_a_column_that_is_gone_or_doubled_fails_its_series_alone() -> None:
    doubled = [[*row, row[1]] for row in ROWS]
    assert gpr.parse(book(*doubled), MONTHLY, CATALOG).rejects.rows() == [("recent", "Sheet1!1", "2 columns 'GPR'")]
    gone = [[row[0], *row[2:]] for row in ROWS]
    assert gpr.parse(book(*gone), MONTHLY, CATALOG).rejects.rows() == [("recent", "Sheet1!1", "0 columns 'GPR'")]


def test_days_are_read_from_a_date_or_from_a_number() -> None:
    """Documented shape, not recorded."""
    row = {"DAY": "20260316", "date": "2026-03-16 00:00:00", "GPRD": "301.5", "GPRD_MA30": "250.25", "N10D": "480"}
    cells = [row.get(name, "") for name in HEADER]
    parsed = gpr.parse(book(HEADER, cells), DAILY, CATALOG)
    assert parsed.observations.select("series_id", "period", "value").rows() == [
        ("average", date(2026, 3, 16), 250.25),
        ("daily", date(2026, 3, 16), 301.5),
    ]
    names = [name for name in HEADER if name != "date"]
    parsed = gpr.parse(book(names, [row.get(name, "") for name in names]), DAILY, CATALOG)
    assert set(parsed.observations.get_column("period")) == {date(2026, 3, 16)}


def test_a_month_that_does_not_begin_one_and_a_text_are_rejected() -> None:
    rows = [*ROWS[:3], ["1985-02-15 00:00:00", "1", "1", "", ""], ["1985-03-01 00:00:00", "n.a.", "3", "", ""]]
    parsed = gpr.parse(book(*rows, ["", "5", "", "", ""]), MONTHLY, CATALOG)
    assert sorted(parsed.rejects.get_column("reason").to_list()) == [
        "not a number: 'n.a.'",
        "not a period of this series: ''",
        "not a period of this series: '1985-02-15 00:00:00'",
        "not a period of this series: '1985-02-15 00:00:00'",
    ]


@pytest.mark.parametrize(
    ("body", "key", "what"),
    [
        (b"<html>404</html>", MONTHLY, "not a readable workbook"),
        (book(*ROWS)[:300], MONTHLY, "not a readable workbook"),
        (book(["when", "GPR"], ["1985-01-01 00:00:00", "1"]), MONTHLY, "has a column of dates beside one of GPR, GPRH"),
        (book(["month", "X"], ["1985-01-01 00:00:00", "1"]), MONTHLY, "has a column of dates"),
        (book(["month", "GPR", "GPR"], ["1985-01-01 00:00:00", "1", "2"]), MONTHLY, "2 columns 'GPR'"),
        (book(ROWS[0]), MONTHLY, "a header without rows"),
        (book(*ROWS), "data_gpr_other", "no catalogued series reads"),
    ],
)
def test_another_workbook_is_refused(body: bytes, key: str, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        gpr.parse(body, key, CATALOG)


def test_one_request_per_file() -> None:
    assert [(r.key, r.url) for r in gpr.plan(CATALOG, date(2026, 11, 22))] == [
        (MONTHLY, "https://www.matteoiacoviello.com/gpr_files/data_gpr_export.xls"),
        (DAILY, "https://www.matteoiacoviello.com/gpr_files/data_gpr_daily_recent.xls"),
    ]
