"""The trade policy uncertainty module on small workbooks in the recorded layout and with its sheets renamed."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, tpu
from tests.replay_routes.gpr import workbook


def series(series_id: str, column: str, frequency: Frequency) -> Series:
    return Series(
        id=series_id,
        source="tpu",
        title=series_id,
        publisher="Caldara et al.",
        select={"column": column},
        unit="index",
        frequency=frequency,
        plausible=(0, 10000),
        publication_lag_days=30,
        staleness_limit_days=120,
        licence="citation",
        history=History.REVISED,
        description=series_id,
    )


CATALOG = Catalog([], [series("month", "TPU", Frequency.MONTHLY), series("day", "TPUD_index", Frequency.DAILY)], [], [])
README = [["TPU - normalized index"], ["DATE - monthly"]]
DAYS = [
    ["DATE", "TPUD_ARTICLES", "TPUD_index"],
    ["2015-01-01 00:00:00", "0", "0"],
    ["2015-01-02 00:00:00", "1", "13.77"],
]
MONTHS = [
    ["DATE", "TPU_SHARE", "TPU"],
    ["2025-02-01 00:00:00", "0.04697", "469.77"],
    ["2025-03-01 00:00:00", "0.06", "603.08"],
]
QUARTERS = [["DATEQ", "TPUQ", "TARIFFVOL"], ["2025Q1", "477.91", ""]]
SHEETS = {"ReadMe": README, "TPU_DAILY": DAYS, "TPU_MONTHLY": MONTHS, "TPU_QUARTERLY": QUARTERS}


@pytest.mark.parametrize(
    "names", [list(SHEETS), ["a", "TPU_MONTHLY", "TPU_DAILY", "b"]], ids=["as recorded", "renamed"]
)
def test_sheets_are_found_by_their_columns(names: list[str]) -> None:
    parsed = tpu.parse(workbook(dict(zip(names, SHEETS.values(), strict=True))), tpu.KEY, CATALOG)
    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.select("series_id", "period", "value").rows() == [
        ("day", date(2015, 1, 1), 0.0),
        ("day", date(2015, 1, 2), 13.77),
        ("month", date(2025, 2, 1), 469.77),
        ("month", date(2025, 3, 1), 603.08),
    ]
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


def test_a_header_below_a_title_is_found_and_an_empty_figure_is_missing() -> None:
    rows = [["Trade Policy Uncertainty"], [""], *MONTHS, ["2025-04-01 00:00:00", "", ""]]
    parsed = tpu.parse(workbook({"M": rows, "D": DAYS}), tpu.KEY, CATALOG)
    assert parsed.observations.filter(series_id="month").get_column("row").to_list() == ["M!C4", "M!C5"]
    assert parsed.missing == {"month": 1}


def test_a_column_in_two_sheets_or_none_fails_its_series_alone() -> None:
    parsed = tpu.parse(workbook({**SHEETS, "old": MONTHS}), tpu.KEY, CATALOG)
    assert set(parsed.observations.get_column("series_id")) == {"day"}
    assert parsed.rejects.rows() == [
        ("month", tpu.KEY, "2 sheets have 'DATE' and 'TPU' in one row; looked at TPU_MONTHLY, old")
    ]
    parsed = tpu.parse(workbook({"TPU_DAILY": DAYS}), tpu.KEY, CATALOG)
    assert parsed.rejects["reason"].to_list() == ["0 sheets have 'DATE' and 'TPU' in one row; looked at TPU_DAILY"]


def test_a_month_that_does_not_begin_one_and_a_text_are_rejected() -> None:
    rows = [*MONTHS, ["2025-04-30 00:00:00", "", "1"], ["2025-05-01 00:00:00", "", "soon"], ["Source: site", "", "7"]]
    parsed = tpu.parse(workbook({"M": rows, "D": DAYS}), tpu.KEY, CATALOG)
    assert parsed.rejects.get_column("reason").to_list() == [
        "not a period of this series: '2025-04-30 00:00:00'",
        "not a number: 'soon'",
        "not a period of this series: 'Source: site'",
    ]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>moved</html>", "not a readable workbook"),
        (workbook(SHEETS)[:400], "not a readable workbook"),
        (workbook({"D": DAYS[:1], "M": MONTHS[:1]}), "headers without rows"),
        (workbook({"ReadMe": README, "Q": QUARTERS}), "none of the 2 catalogued columns"),
    ],
)
def test_another_workbook_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        tpu.parse(body, tpu.KEY, CATALOG)


def test_one_request() -> None:
    (request,) = tpu.plan(CATALOG, date(2026, 11, 22))
    assert (request.key, request.url) == (tpu.KEY, tpu.URL)
