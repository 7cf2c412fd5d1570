"""The Yahoo module on charts in the documented shape (not recorded), and on the answers that look like one."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, yahoo
from tests.replay_routes.yahoo import chart, float32, midnight


def series(symbol: str) -> Series:
    return Series(
        id=symbol.removesuffix("=F").lower(),
        source="yahoo",
        title=symbol,
        publisher="an exchange",
        select={"symbol": symbol, "currency": "USD"},
        unit="usd_per_troy_ounce",
        frequency=Frequency.DAILY,
        plausible=(1, 100000),
        publication_lag_days=1,
        staleness_limit_days=10,
        licence="personal use",
        history=History.STABLE,
        description=symbol,
    )


CATALOG = Catalog([], [series("GC=F"), series("HG=F")], [], [])
KEY = "chart/GC=F"
THURSDAY, FRIDAY, MONDAY = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23)
JULY = date(2026, 7, 15)


def test_days_of_both_halves_of_the_year_are_dated_in_the_exchanges_own_time() -> None:
    # The answer's gmtoffset is that of November: 15 July begins at 04:00 UTC, an hour before it would be.
    bars = [(midnight(JULY), 4000.5), (midnight(THURSDAY), 4100.25), (midnight(FRIDAY), 4200.0)]
    parsed = yahoo.parse(chart("GC=F", bars), KEY, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("period").rows() == [
        ("gc", JULY, 4000.5, 2, "bar 0"),
        ("gc", THURSDAY, 4100.25, 2, "bar 1"),
        ("gc", FRIDAY, 4200.0, 2, "bar 2"),
    ]
    assert parsed.rejects.is_empty()
    assert not parsed.missing


def test_the_trade_of_the_moment_is_left_out_and_a_closed_last_bar_is_not() -> None:
    live = midnight(FRIDAY) + 15 * 3600 + 61
    parsed = yahoo.parse(chart("GC=F", [(midnight(THURSDAY), 4100.0), (live, 4150.0)]), KEY, CATALOG)
    assert parsed.observations["period"].to_list() == [THURSDAY]
    assert parsed.rejects.is_empty()

    closed = yahoo.parse(chart("GC=F", [(midnight(THURSDAY), 4100.0), (midnight(FRIDAY), 4150.0)]), KEY, CATALOG)
    assert closed.observations["period"].to_list() == [THURSDAY, FRIDAY]


def test_another_bar_at_a_time_of_day_is_rejected() -> None:
    bars = [(midnight(THURSDAY) + 3600, 4100.0), (midnight(FRIDAY), 4150.0)]
    parsed = yahoo.parse(chart("GC=F", bars), KEY, CATALOG)
    assert parsed.rejects.rows() == [("gc", "bar 0", "is no daily bar: it begins at 2026-11-19 01:00:00")]
    assert parsed.observations["period"].to_list() == [FRIDAY]


def test_a_null_is_missing_and_a_widened_float_is_the_price_it_came_from() -> None:
    assert repr(float32(4076.6)) == "4076.60009765625"
    bars = [(midnight(THURSDAY), None), (midnight(FRIDAY), float32(4076.6)), (midnight(MONDAY), float32(6.1235))]
    parsed = yahoo.parse(chart("GC=F", bars), KEY, CATALOG)
    assert dict(parsed.missing) == {"gc": 1}
    assert parsed.observations.select("value", "decimals").rows() == [(4076.6, 4), (6.1235, 4)]


def test_a_day_that_stands_twice_is_rejected() -> None:
    parsed = yahoo.parse(chart("GC=F", [(midnight(FRIDAY), 1.0), (midnight(FRIDAY), 2.0)]), KEY, CATALOG)
    assert parsed.observations.is_empty()
    assert parsed.rejects.height == 2


GOOD = [(midnight(FRIDAY), 4200.0)]


def without(path: tuple[Any, ...]) -> bytes:
    document = json.loads(chart("GC=F", GOOD))
    place = document["chart"]["result"][0]
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>Too Many Requests</html>", "is no chart in JSON"),
        (b'{"finance": {}}', "is no chart in JSON"),
        (b"[]", "is no chart in JSON"),
        (
            b'{"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found"}}}',
            "No data found",
        ),
        (b'{"chart": {"result": [], "error": null}}', "no reason given"),
        (chart("SI=F", GOOD), "is SI=F in steps of 1d, not GC=F by day"),
        (chart("GC=F", GOOD, dataGranularity="1wk"), "in steps of 1wk"),
        (chart("GC=F", GOOD, currency="USX"), "is quoted in 'USX', not in USD"),
        (chart("GC=F", GOOD, exchangeTimezoneName="Nowhere/Here"), "names no time zone"),
        (chart("GC=F", [(midnight(FRIDAY) + 60, 4200.0)]), "no bar but the trade of the moment"),
        (without(("timestamp",)), "without meta, timestamp or close"),
        (without(("indicators", "quote", 0, "close")), "without meta, timestamp or close"),
        (without(("timestamp", 0)), "not of one length"),
        (without(("indicators", "quote", 0, "volume")), "volume: not one for each time stamp"),
        (without(("indicators", "quote", 0, "low", 0)), "low: not one for each time stamp"),
        (chart("GC=F", [(midnight(FRIDAY), "4200")]), "is no number"),  # type: ignore[list-item]
    ],
)
def test_an_answer_that_is_no_chart_of_the_symbol_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        yahoo.parse(body, KEY, CATALOG)


def test_a_key_that_no_series_reads_is_refused() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads 'chart/CL=F'"):
        yahoo.parse(chart("CL=F", GOOD), "chart/CL=F", CATALOG)


def test_each_symbol_is_asked_for_once_and_nobody_is_impersonated() -> None:
    requests = yahoo.plan(CATALOG, date(2026, 11, 22))
    assert [(r.key, r.url) for r in requests] == [
        ("chart/GC=F", "https://query1.finance.yahoo.com/v8/finance/chart/GC=F"),
        ("chart/HG=F", "https://query1.finance.yahoo.com/v8/finance/chart/HG=F"),
    ]
    assert requests[0].params == (("range", "2y"), ("interval", "1d"))
    assert not requests[0].headers
