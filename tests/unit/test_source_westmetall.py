"""The Westmetall module on pages in the documented shape (not recorded), and on those that are none."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, _html, westmetall
from tests.replay_routes.westmetall import page

NAME = "LME Copper"


def series(series_id: str, column: str) -> Series:
    return Series(
        id=series_id,
        source="westmetall",
        title=column,
        publisher="London Metal Exchange",
        select={"field": "LME_Cu_cash", "metal_name": NAME, "column": column},
        unit="usd_per_tonne",
        frequency=Frequency.DAILY,
        plausible=(0, 10000000),
        publication_lag_days=1,
        staleness_limit_days=12,
        licence="personal use",
        history=History.STABLE,
        description=column,
    )


CATALOG = Catalog([], [series("cash", "Cash-Settlement"), series("three", "3-month"), series("stock", "stock")], [], [])
KEY = "LME_Cu_cash/2026"
ROWS = [
    ("09. October 2026", "14,689.00", "14,570.50", "233,025"),
    ("08. October 2026", "14,526.00", "-", "233,100"),
    ("7. September 2026", "9,999.50", "10,001.00", "950"),
]


def test_columns_are_read_with_their_thousands_and_a_dash_is_missing() -> None:
    parsed = westmetall.parse(page(NAME, ROWS), KEY, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("series_id", "period").rows() == [
        ("cash", date(2026, 9, 7), 9999.5, 2, "LME_Cu_cash 7. September 2026"),
        ("cash", date(2026, 10, 8), 14526.0, 2, "LME_Cu_cash 08. October 2026"),
        ("cash", date(2026, 10, 9), 14689.0, 2, "LME_Cu_cash 09. October 2026"),
        ("stock", date(2026, 9, 7), 950.0, 0, "LME_Cu_cash 7. September 2026"),
        ("stock", date(2026, 10, 8), 233100.0, 0, "LME_Cu_cash 08. October 2026"),
        ("stock", date(2026, 10, 9), 233025.0, 0, "LME_Cu_cash 09. October 2026"),
        ("three", date(2026, 9, 7), 10001.0, 2, "LME_Cu_cash 7. September 2026"),
        ("three", date(2026, 10, 9), 14570.5, 2, "LME_Cu_cash 09. October 2026"),
    ]
    assert dict(parsed.missing) == {"three": 1}
    assert parsed.rejects.is_empty()


def test_a_reordered_table_is_followed_and_repeated_headings_are_no_rows() -> None:
    headings = ("date", "LME Copper stock", "LME Copper  Cash-Settlement", "LME Copper 3-month")
    rows = [(f"{day:02}. May 2026", "230,000", f"14,0{day}.00", "14,100.00") for day in range(10, 32)]
    parsed = westmetall.parse(page(NAME, rows, headings), KEY, CATALOG)
    assert parsed.observations.filter(series_id="cash")["value"].to_list() == [14000.0 + day for day in range(10, 32)]
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize("text", ["14.689,00", "1,46", "n.a.", "14,6890"])
def test_a_number_printed_another_way_is_rejected_and_never_rescaled(text: str) -> None:
    parsed = westmetall.parse(page(NAME, [("09. October 2026", text, "1.00", "1")]), KEY, CATALOG)
    assert parsed.rejects.rows() == [("cash", "LME_Cu_cash 09. October 2026", f"not a number: '{text}'")]


def test_a_day_of_another_year_and_a_day_that_is_none_are_rejected() -> None:
    rows = [("09. October 2025", "1.00", "1.00", "1"), ("31. September 2026", "1.00", "1.00", "1"), ROWS[0]]
    parsed = westmetall.parse(page(NAME, rows), KEY, CATALOG)
    assert parsed.rejects.filter(series_id="cash")["reason"].to_list() == [
        "not a period of this series: '09. October 2025'",
        "not a period of this series: '31. September 2026'",
    ]
    assert parsed.observations.filter(series_id="cash")["value"].to_list() == [14689.0]


def test_a_heading_that_is_gone_fails_its_column_alone() -> None:
    headings = ("date", "LME Copper Cash-Settlement", "LME Copper 15-month", "LME Copper stock")
    parsed = westmetall.parse(page(NAME, ROWS, headings), KEY, CATALOG)
    assert parsed.rejects.rows() == [("three", KEY, "no rows under a heading 'LME Copper 3-month'")]
    assert set(parsed.observations["series_id"]) == {"cash", "stock"}


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>LME prices are not available</body></html>",
        page("LME Aluminium", ROWS),  # an unknown field may be answered with another metal's table
        page(NAME, []),
        b"",
    ],
)
def test_a_page_without_this_metals_rows_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload, match="no table has the headings of the 3 catalogued columns"):
        westmetall.parse(body, KEY, CATALOG)


@pytest.mark.parametrize("key", ["LME_AI_cash/2026", "LME_Cu_cash", "LME_Cu_cash/26"])
def test_a_key_that_no_series_reads_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        westmetall.parse(page(NAME, ROWS), key, CATALOG)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 11, 22), [("LME_Cu_cash/2026", False), ("LME_Cu_cash/2025", True)]),
        (date(2027, 1, 3), [("LME_Cu_cash/2026", False), ("LME_Cu_cash/2025", True)]),
        (date(2027, 1, 20), [("LME_Cu_cash/2027", False), ("LME_Cu_cash/2026", False)]),
        (date(2027, 2, 20), [("LME_Cu_cash/2027", False), ("LME_Cu_cash/2026", True)]),
    ],
)
def test_this_year_and_the_last_are_asked_for(today: date, expected: list[tuple[str, bool]]) -> None:
    requests = westmetall.plan(CATALOG, today)
    assert [(r.key, r.closed) for r in requests] == expected
    assert requests[1].params == (("action", "table"), ("field", "LME_Cu_cash"), ("year", expected[1][0][-4:]))


def test_a_grid_fills_spanned_cells_keeps_tables_apart_and_forgives_missing_end_tags() -> None:
    html = (
        "<table><tr><th rowspan=2>a<th colspan=2>b &amp; c</tr><tr><td>d<td>e</tr>"
        "<tr><td><table><tr><td>inner</table>outer</td></tr></table>"
    )
    assert _html.tables(html) == [[["a", "b & c", "b & c"], ["a", "d", "e"], ["outer"]], [["inner"]]]
    assert _html.tables('<table><tr><td colspan="999999999">x</table>') == [[["x"] * _html.MAX_SPAN]]
