"""The policy uncertainty module: the workbook's layout as recorded, the two CSV files as documented (not recorded)."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, epu
from tests.replay_routes.gpr import workbook

US, DAILY, CHINA = "US.xlsx", "daily.csv", "china.csv"


def series(series_id: str, file: str, column: str, frequency: Frequency = Frequency.MONTHLY) -> Series:
    return Series(
        id=series_id,
        source="epu",
        title=series_id,
        publisher="Baker, Bloom and Davis",
        select={"file": file, "column": column},
        unit="index",
        frequency=frequency,
        plausible=(0, 5000),
        publication_lag_days=8,
        staleness_limit_days=75,
        licence="attribution",
        history=History.REVISED,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("news", US, "News_Based_Policy_Uncert_Index"),
        series("three", US, "Three_Component_Index"),
        series("daily", DAILY, "daily_policy_index", Frequency.DAILY),
        series("china", CHINA, "China News-Based EPU"),
    ],
    [],
    [],
)
NOTE = "Source: 'Measuring Economic Policy Uncertainty', free to use with attribution"
MAIN = [
    ["Year", "Month", "Three_Component_Index", "News_Based_Policy_Uncert_Index"],
    ["2025", "1", "169.37", "236.79"],
    ["2025", "2", "233.65", ""],
    [NOTE],
]


def test_the_text_row_at_the_end_is_a_note_and_no_cell() -> None:
    parsed = epu.parse(workbook({"Main Index": MAIN, "Components": [["Year", "Month"], [NOTE]]}), US, CATALOG)
    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.rows() == [
        ("news", date(2025, 1, 1), 236.79, 2, "Main Index!D2"),
        ("three", date(2025, 1, 1), 169.37, 2, "Main Index!C2"),
        ("three", date(2025, 2, 1), 233.65, 2, "Main Index!C3"),
    ]
    assert parsed.missing == {"news": 1}
    assert parsed.rejects.is_empty()


def test_days_and_months_of_the_csv_files() -> None:
    """Documented shape, not recorded."""
    body = b"day,month,year,daily_policy_index\r\n1,1,1985,103.83\r\n28,2,2025,421.5\r\n1,3,2025,\r\n30,2,2025,1\r\n"
    parsed = epu.parse(body, DAILY, CATALOG)
    assert parsed.observations.select("period", "value").rows() == [
        (date(1985, 1, 1), 103.83),
        (date(2025, 2, 28), 421.5),
    ]
    assert parsed.missing == {"daily": 1}
    assert parsed.rejects["reason"].to_list() == ["not a period of this series: '2025-2-30'"]

    body = f'\ufeffyear,month,China News-Based EPU\n1995,1,125.5\n1995,2,..\n"{NOTE}"\n'.encode()
    parsed = epu.parse(body, CHINA, CATALOG)
    assert parsed.observations.rows() == [("china", date(1995, 1, 1), 125.5, 1, "china.csv!C2")]
    assert parsed.missing == {"china": 1}
    assert parsed.rejects.is_empty()


def test_a_last_line_of_figures_without_an_end_is_left_out_and_named_and_a_note_is_not() -> None:
    """Documented shape, not recorded: 421.5 cut to 42 would pass for another figure."""
    parsed = epu.parse(b"day,month,year,daily_policy_index\n27,2,2025,99.5\n28,2,2025,42", DAILY, CATALOG)
    assert parsed.observations.select("period", "value").rows() == [(date(2025, 2, 27), 99.5)]
    assert parsed.rejects["row"].to_list() == ["daily.csv: 28,2,2025,42"]
    parsed = epu.parse(f'year,month,China News-Based EPU\n1995,1,125.5\n"{NOTE}"'.encode(), CHINA, CATALOG)
    assert parsed.observations.height == 1
    assert parsed.rejects.is_empty()


def test_the_china_file_may_be_a_workbook_under_either_name() -> None:
    rows = [["year", "month", "China News-Based EPU"], ["2025", "12", "512.25"], [NOTE]]
    parsed = epu.parse(workbook({"EPU": rows}), CHINA, CATALOG)
    assert parsed.observations.select("period", "value").rows() == [(date(2025, 12, 1), 512.25)]


def test_rows_that_cannot_be_read_are_rejected() -> None:
    rows = [*MAIN[:3], ["2025", "13", "1", "1"], ["later", "1", "2", ""], ["2025", "4", "about 100", "3"], MAIN[3]]
    parsed = epu.parse(workbook({"Main Index": rows}), US, CATALOG)
    assert sorted(parsed.rejects.select("series_id", "reason").rows()) == [
        ("news", "not a period of this series: '2025-13'"),
        ("three", "not a number: 'about 100'"),
        ("three", "not a period of this series: '2025-13'"),
        ("three", "not a period of this series: 'later-1'"),
    ]


def test_a_column_that_is_gone_fails_its_series_alone() -> None:
    rows = [row[:3] for row in MAIN]
    parsed = epu.parse(workbook({"Main Index": rows}), US, CATALOG)
    assert set(parsed.observations.get_column("series_id")) == {"three"}
    assert parsed.rejects.rows() == [
        ("news", US, "no sheet has one column 'News_Based_Policy_Uncert_Index' beside year, month")
    ]


@pytest.mark.parametrize(
    ("body", "key", "what"),
    [
        (b"<!DOCTYPE html><html>404</html>", DAILY, "an HTML page"),
        (b"day,month,year,daily_policy_index\n", DAILY, "a header without rows"),
        (b"not found", DAILY, "not a CSV of several columns"),
        (b"", DAILY, "not a CSV of several columns"),
        (b'day,month,year,daily_policy_index\n1,1,"1985,3\n', DAILY, "not a CSV: "),
        (b"date,daily_policy_index\n1985-01-01,103.83\n", DAILY, "beside year, month, day"),
        (workbook({"Main Index": MAIN})[:400], US, "not a readable workbook"),
        (workbook({"Other": [["Year", "Month"], ["2025", "1"]]}), US, "no sheet has one column"),
        (b"year,month\n1,1\n", "other.csv", "no catalogued series reads"),
    ],
)
def test_another_file_is_refused(body: bytes, key: str, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        epu.parse(body, key, CATALOG)


def test_one_request_per_file() -> None:
    assert [request.key for request in epu.plan(CATALOG, date(2026, 11, 22))] == [US, DAILY, CHINA]
    assert epu.plan(CATALOG, date(2026, 11, 22))[0].url == "https://www.policyuncertainty.com/media/US.xlsx"
