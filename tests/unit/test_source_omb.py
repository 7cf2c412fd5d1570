"""The OMB module on small workbooks: documented shape, not recorded."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from pipelines.catalog import period_end
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, omb
from tests.replay_routes.omb import ESTIMATES, HEADERS, NOTES, ROWS, TITLES, page, routes, sheet, workbook
from tests.unit.catalogued import catalogue_of

CATALOG = catalogue_of("omb")
USD, SHARE = "hist01z1", "hist01z2"


def parse(table: str, rows: list[list[str]], edition: int = 2027) -> omb.Parsed:
    return omb.parse(workbook(rows), f"{table}_fy{edition}", CATALOG)


def figures(parsed: omb.Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_totals_are_read_by_fiscal_year_with_a_deficit_below_zero() -> None:
    parsed = parse(USD, sheet(USD))

    assert dict(parsed.observations.schema) == OBSERVATION
    assert figures(parsed, "omb_balance_usd_millions") == {
        date(1900, 7, 1): 63.0,
        date(1942, 7, 1): -54554.0,
        date(1975, 7, 1): -73732.0,
        date(1976, 10, 1): -53659.0,
        date(1999, 10, 1): 236241.0,
        date(2019, 10, 1): -3132456.0,
    }
    assert figures(parsed, "omb_receipts_usd_millions")[date(2019, 10, 1)] == 3421164.0
    assert figures(parsed, "omb_outlays_usd_millions")[date(2019, 10, 1)] == 6553620.0
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


def test_the_quarter_of_transition_is_no_year_and_years_do_not_overlap() -> None:
    periods = sorted(figures(parse(USD, sheet(USD)), "omb_receipts_usd_millions"))
    frequency = CATALOG.series["omb_receipts_usd_millions"].frequency

    assert period_end(date(1975, 7, 1), frequency) == date(1976, 6, 30)
    assert all(period_end(a, frequency) < b for a, b in pairwise(periods))
    assert date(1976, 7, 1) not in periods


def test_shares_of_gdp_come_from_the_table_of_shares() -> None:
    parsed = parse(SHARE, sheet(SHARE))

    assert figures(parsed, "omb_balance_pct_of_gdp")[date(1942, 7, 1)] == -29.6
    assert figures(parsed, "omb_receipts_pct_of_gdp")[date(1999, 10, 1)] == 20.0  # not 15.3, which is on-budget
    assert figures(parsed, "omb_outlays_pct_of_gdp")[date(2019, 10, 1)] == 30.8
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize("label", ["2026 estimate", "2026  Estimate", "2026 est.", "2026\nestimate", "2026 (estimate)"])
def test_an_estimate_is_never_taken_as_a_figure(label: str) -> None:
    estimate = [label, *ESTIMATES[USD][0][1:]]
    parsed = parse(USD, sheet(USD, [*ROWS[USD], estimate]))

    assert max(figures(parsed, "omb_balance_usd_millions")) == date(2019, 10, 1)
    assert parsed.rejects.is_empty()


def test_a_year_that_had_not_ended_is_rejected_though_it_is_not_called_an_estimate() -> None:
    rows = [*ROWS[USD], ["2025", "5235000", "7010000", "-1775000"], ["2026", "5600000", "7600000", "-2000000"]]

    parsed = parse(USD, sheet(USD, rows), edition=2027)
    assert max(figures(parsed, "omb_balance_usd_millions")) == date(2024, 10, 1)
    assert parsed.rejects.filter(series_id="omb_balance_usd_millions").rows() == [
        (
            "omb_balance_usd_millions",
            "hist01z1 row 14, balance",
            "fiscal year 2026 is not labelled an estimate, but had not ended: 2025 had",
        )
    ]
    earlier = parse(USD, sheet(USD, rows), edition=2026)
    assert max(figures(earlier, "omb_balance_usd_millions")) == date(2019, 10, 1)


@pytest.mark.parametrize(("cell", "missing"), [("..........", 1), ("*", 1), ("-*", 1), ("", 1), ("n/a.", 0)])
def test_dots_and_asterisks_are_missing_and_other_texts_are_rejected(cell: str, missing: int) -> None:
    parsed = parse(SHARE, sheet(SHARE, [*ROWS[SHARE], ["2021", "23000", cell, "29.5", "-11.9"]]))

    assert parsed.missing.get("omb_receipts_pct_of_gdp", 0) == missing
    assert parsed.rejects.select("series_id", "reason").rows() == (
        [] if missing else [("omb_receipts_pct_of_gdp", f"not a number: '{cell}'")]
    )
    assert figures(parsed, "omb_balance_pct_of_gdp")[date(2020, 10, 1)] == -11.9


def test_a_label_that_is_no_year_beside_figures_is_rejected_and_notes_are_no_rows() -> None:
    parsed = parse(USD, sheet(USD, [*ROWS[USD], ["FY 2021", "4047111", "6822470", "-2775359"]]))

    assert set(parsed.rejects["reason"]) == {"not a period of this series: 'FY 2021'"}
    assert parsed.rejects.height == 3


def test_the_header_may_stand_lower_and_years_may_be_numbers_with_decimals() -> None:
    rows = [["Office of Management and Budget"], [""], *sheet(USD, [["2001.0", "1991082", "1862846", "128236"]])]
    assert figures(parse(USD, rows), "omb_balance_usd_millions") == {date(2000, 10, 1): 128236.0}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>moved</html>", "not a readable workbook"),
        (workbook(sheet(USD))[:-200], "not a readable workbook"),
        (workbook([]), "the workbook is empty"),
        (workbook([["hello"], ["world"]]), "no row of names"),
        (workbook(sheet(SHARE)), "does not say 'in millions of dollars'"),
        (workbook([["(in billions of dollars)"], *HEADERS[USD], *ROWS[USD]]), "does not say 'in millions of dollars'"),
        (workbook([*TITLES[USD], HEADERS[USD][1], *ROWS[USD]]), "not one column of totals"),
        (workbook([*TITLES[USD], *HEADERS[USD], *NOTES]), "no fiscal year stands below"),
    ],
)
def test_an_unrecognisable_body_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        omb.parse(body, "hist01z1_fy2027", CATALOG)


@pytest.mark.parametrize("key", ["hist01z1", "hist03z1_fy2027", "hist01z1_fy27"])
def test_a_key_that_no_series_reads_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        omb.parse(workbook(sheet(USD)), key, CATALOG)


UPLOADS = "https://www.whitehouse.gov/wp-content/uploads"


def test_the_newest_edition_of_both_tables_is_asked_for() -> None:
    (first,) = omb.plan(CATALOG, date(2026, 11, 22))
    assert (first.land, first.url) == (
        False,
        "https://www.whitehouse.gov/omb/information-resources/budget/historical-tables/",
    )
    assert first.then is not None
    requests = first.then(
        page(
            f"{UPLOADS}/2025/06/hist01z1_fy2026.xlsx",
            f"{UPLOADS}/2026/04/hist01z1_fy2027.xlsx",
            f"{UPLOADS}/2026/04/hist01z1_fy2027.xlsx",
            f"{UPLOADS}/2026/04/hist01z10_fy2028.xlsx",
            "/wp-content/uploads/2026/04/HIST01z2_FY27-1.xlsx",
            f"{UPLOADS}/2026/04/hist01z2_fy2027.pdf",
        )
    )
    assert [(request.key, request.url) for request in requests] == [
        ("hist01z1_fy2027", f"{UPLOADS}/2026/04/hist01z1_fy2027.xlsx"),
        ("hist01z2_fy2027", f"{UPLOADS}/2026/04/HIST01z2_FY27-1.xlsx"),
    ]


@pytest.mark.parametrize(
    ("links", "what"),
    [
        ((), "links no hist01z1_fy<year>.xlsx"),
        ((f"{UPLOADS}/2026/04/hist01z1_fy2027.xlsx",), "links no hist01z2_fy<year>.xlsx"),
        ((f"{UPLOADS}/2026/04/hist01z1.xlsx",), "links no hist01z1_fy<year>.xlsx"),
        ((f"{UPLOADS}/2026/04/hist01z1_fy2027.xlsx", f"{UPLOADS}/2026/05/hist01z1_fy2027.xlsx"), "links 2 files"),
    ],
)
def test_a_page_that_does_not_lead_to_both_tables_is_refused(links: tuple[str, ...], what: str) -> None:
    (first,) = omb.plan(CATALOG, date(2026, 11, 22))
    assert first.then is not None
    with pytest.raises(BadPayload, match=what):
        first.then(page(*links))


def test_the_replayed_page_leads_to_workbooks_that_read() -> None:
    (_, _, landing), (_, _, usd), (_, _, share) = routes()
    (first,) = omb.plan(CATALOG, date(2026, 11, 22))
    assert first.then is not None
    for clock, edition in ((date(2026, 1, 1), 2026), (None, 2027)):
        requests = first.then(landing({}, b"", clock)[2])
        assert [request.key for request in requests] == [f"hist01z1_fy{edition}", f"hist01z2_fy{edition}"]
        for request, reply in zip(requests, (usd, share), strict=True):
            parsed = omb.parse(reply({}, b"", clock)[2], request.key, CATALOG)
            assert parsed.rejects.is_empty()
            assert parsed.observations["period"].max() == date(2019, 10, 1)
