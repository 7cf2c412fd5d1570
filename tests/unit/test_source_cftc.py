"""The CFTC module on rows in the documented shape (not recorded), and on answers that are none."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, cftc
from tests.replay_routes.cftc import row


def series(series_id: str, field: str, code: str = "085692") -> Series:
    return Series(
        id=series_id,
        source="cftc",
        title=field,
        publisher="CFTC",
        select={"code": code, "field": field},
        unit="contracts",
        frequency=Frequency.DAILY,
        plausible=(0, 10000000),
        publication_lag_days=6,
        staleness_limit_days=20,
        licence="public domain",
        history=History.STABLE,
        description=field,
    )


CATALOG = Catalog(
    [],
    [
        series("long", "m_money_positions_long_all"),
        series("swap_short", "swap__positions_short_all"),  # the interface's own double underscore
        series("gold_long", "m_money_positions_long_all", "088691"),
    ],
    [],
    [],
)
KEY = "disaggregated/085692"
NEW, OLD = date(2026, 9, 22), date(2026, 9, 15)


def body(*rows: dict[str, str]) -> bytes:
    return json.dumps(rows).encode()


def test_texts_become_contracts_and_an_absent_field_is_missing() -> None:
    rows = [
        row("085692", NEW, m_money_positions_long_all=96421, swap__positions_short_all=50000),
        row("085692", OLD, m_money_positions_long_all=95000),
    ]
    parsed = cftc.parse(body(*rows), KEY, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    stamp = "T00:00:00.000"
    assert parsed.observations.sort("series_id", "period").rows() == [
        ("long", OLD, 95000.0, 0, f"085692 m_money_positions_long_all at 2026-09-15{stamp}"),
        ("long", NEW, 96421.0, 0, f"085692 m_money_positions_long_all at 2026-09-22{stamp}"),
        ("swap_short", NEW, 50000.0, 0, f"085692 swap__positions_short_all at 2026-09-22{stamp}"),
    ]
    assert dict(parsed.missing) == {"swap_short": 1}
    assert parsed.rejects.is_empty()


def test_a_field_that_no_row_has_fails_its_series_alone() -> None:
    rows = [row("085692", NEW, m_money_positions_long_all=96421, swap_positions_short_all=50000)]
    parsed = cftc.parse(body(*rows), KEY, CATALOG)
    assert parsed.rejects.rows() == [("swap_short", KEY, "no row has the field swap__positions_short_all")]
    assert parsed.observations["value"].to_list() == [96421.0]


def test_rows_of_another_contract_and_cells_that_are_no_numbers_are_rejected() -> None:
    rows = [
        row("85692", NEW, m_money_positions_long_all=1, swap__positions_short_all=1),  # a code read as a number
        row("085692", OLD, m_money_positions_long_all="9 500", swap__positions_short_all=2),
        {**row("085692", OLD, m_money_positions_long_all=3, swap__positions_short_all=3), cftc.AS_OF: "2026-09"},
    ]
    parsed = cftc.parse(body(*rows), KEY, CATALOG)
    assert parsed.rejects["reason"].to_list() == [
        "is of contract '85692'",
        "not a number: '9 500'",
        "not a period of this series: '2026-09'",
        "not a period of this series: '2026-09'",
    ]
    assert parsed.observations.select("series_id", "value").rows() == [("swap_short", 2.0)]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"[]", "contract 085692: no rows"),  # also the answer to an unknown code, with status 200
        (b"<html>throttled</html>", "not JSON"),
        (b'{"error": true, "message": "No such column: swap_positions"}', "No such column: swap_positions"),
        (body(row("085692", NEW)), "none of the catalogued fields"),
    ],
)
def test_an_answer_without_positions_is_refused(answer: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        cftc.parse(answer, KEY, CATALOG)


def test_an_empty_page_after_a_full_one_is_the_end_of_the_list() -> None:
    assert cftc.parse(b"[]", f"{KEY}/page2", CATALOG).observations.is_empty()


@pytest.mark.parametrize("key", ["085692", "disaggregated/191693"])
def test_a_key_that_no_series_reads_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        cftc.parse(b"[]", key, CATALOG)


def test_pages_are_ordered_and_follow_while_they_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cftc, "PAGE_SIZE", 2)
    first, gold = cftc.plan(CATALOG, date(2026, 11, 22))
    assert (first.key, gold.key) == ("disaggregated/085692", "disaggregated/088691")
    assert dict(first.params) == {
        "$select": "cftc_contract_market_code,report_date_as_yyyy_mm_dd,"
        "m_money_positions_long_all,swap__positions_short_all",
        "$where": "cftc_contract_market_code='085692'",
        "$order": "report_date_as_yyyy_mm_dd DESC",
        "$limit": "2",
        "$offset": "0",
    }
    full = body(*(row("085692", NEW - timedelta(weeks=n), m_money_positions_long_all=n) for n in range(2)))
    assert first.then is not None
    [second] = first.then(full)
    assert (second.key, dict(second.params)["$offset"]) == ("disaggregated/085692/page2", "2")
    assert second.then is not None
    assert [r.key for r in second.then(full)] == ["disaggregated/085692/page3"]
    assert second.then(body(row("085692", NEW, m_money_positions_long_all=1))) == []
