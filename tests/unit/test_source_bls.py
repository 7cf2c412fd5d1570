"""The BLS module on small answers: documented shape, not recorded."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, bls
from tests.replay_routes.bls import answer, result, row
from tests.unit.catalogued import catalogue_of


def series(identifier: str, frequency: Frequency = Frequency.MONTHLY, since: int = 2011, **select: Any) -> Series:
    return Series(
        id=identifier.lower(),
        source="bls",
        title=identifier,
        publisher="BLS",
        select={"id": identifier, "since": since, **select},
        unit="pct",
        frequency=frequency,
        plausible=(-100, 1000),
        publication_lag_days=1,
        staleness_limit_days=10,
        licence="public domain",
        history=History.STABLE,
        description=identifier,
    )


CPI, PRS = series("CPI", never_published=["2025-10"]), series("PRS", Frequency.QUARTERLY)
CATALOG = Catalog([], [CPI, PRS], [], [])
TODAY = date(2026, 11, 22)
RUNNING, CLOSED = (request.key for request in bls.plan(CATALOG, TODAY))
LAPSE = [{"code": "X", "text": "Data unavailable due to the 2025 lapse in appropriations"}]
MONTHS = [
    row(2025, "M13", "322.1"),
    row(2025, "M12", "326.030"),
    row(2025, "M11", "325.031"),
    row(2025, "M10", "-", LAPSE),
    row(2025, "M09", "324.368", [{"code": "P", "text": "Preliminary"}]),
]
QUARTERS = [row(2025, "Q05", "2.2"), row(2025, "Q04", "-0.4"), row(2025, "Q03", "4.9"), row(2025, "A01", "2.2")]


def parse(body: bytes, key: str = RUNNING, catalog: Catalog = CATALOG) -> bls.Parsed:
    return bls.parse(body, key, catalog)


def figures(parsed: bls.Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_months_and_quarters_are_read_and_averages_are_none_of_them() -> None:
    parsed = parse(answer([result("CPI", MONTHS), result("PRS", QUARTERS)]))

    assert dict(parsed.observations.schema) == OBSERVATION
    assert figures(parsed, "cpi") == {
        date(2025, 9, 1): 324.368,
        date(2025, 11, 1): 325.031,
        date(2025, 12, 1): 326.03,
    }
    assert figures(parsed, "prs") == {date(2025, 7, 1): 4.9, date(2025, 10, 1): -0.4}
    assert set(parsed.observations.filter(series_id="cpi")["decimals"]) == {3}
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize("months", [MONTHS, [cells for cells in MONTHS if cells["period"] != "M10"]])
def test_october_2025_is_reported_missing_whether_it_is_sent_empty_or_not_at_all(months: list[Any]) -> None:
    parsed = parse(answer([result("CPI", months), result("PRS", QUARTERS)]))
    assert parsed.missing == {"cpi": 1}


def test_october_2025_is_not_missed_where_nothing_has_followed_yet() -> None:
    parsed = parse(answer([result("CPI", [row(2025, "M09", "324.368")]), result("PRS", QUARTERS)]))
    assert parsed.missing == {}


def test_periods_and_cells_that_cannot_be_read_are_rejected_one_by_one() -> None:
    rows = [
        row(2025, "M12", "n/a."),
        row(2025, "Q03", "1.0"),
        row(2025, "M14", "1.0"),
        {"year": None, "period": "M01", "value": "1"},
        {"year": "2025", "value": "1"},
        row(2025, "M08", "323.976"),
        row(2025, "M07", "322.0"),
        row(2025, "M07", "322.1"),
    ]
    parsed = parse(answer([result("CPI", rows), result("PRS", QUARTERS)]))

    assert sorted(parsed.rejects["reason"]) == [
        "not a number: 'n/a.'",
        "not a period of this series: '2025 M14'",
        "not a period of this series: '2025 Q03'",
        "not a period of this series: '2025 no period'",
        "not a period of this series: 'no year M01'",
        "period 2025 M07 is in the payload more than once",
        "period 2025 M07 is in the payload more than once",
    ]
    assert figures(parsed, "cpi") == {date(2025, 8, 1): 323.976}


@pytest.mark.parametrize("said", ["Series does not exist for Series PRS", "Invalid Series for Series PRS"])
def test_years_without_data_are_no_fault_but_an_unknown_series_is(said: str, caplog: pytest.LogCaptureFixture) -> None:
    parsed = parse(
        answer(
            [result("CPI", MONTHS), result("PRS", [])],
            "No Data Available for Series CPI Year: 2026",
            said,
            "Something that was never said before",
        )
    )
    assert parsed.rejects.select("series_id", "reason").rows() == [("prs", f"BLS says: {said}")]
    assert "BLS says: Something that was never said before" in caplog.text, "no figure is concerned, and it is seen"
    assert "2026" not in caplog.messages[0].partition("says")[2]
    assert len(figures(parsed, "cpi")) == 3


def test_a_series_that_was_asked_for_and_left_out_in_silence_is_a_reject() -> None:
    parsed = parse(answer([result("CPI", MONTHS)]))
    assert parsed.rejects.rows() == [("prs", RUNNING, "PRS was requested and is not in the response")]


def test_an_answer_to_an_earlier_catalogue_is_read_without_the_series_added_since() -> None:
    more = Catalog([], [CPI, PRS, series("NEW")], [], [])
    parsed = parse(answer([result("CPI", MONTHS), result("PRS", QUARTERS), result("GONE", MONTHS)]), catalog=more)
    assert parsed.rejects.is_empty()
    assert set(parsed.observations["series_id"]) == {"cpi", "prs"}


REFUSED = answer(
    [],
    "Request could not be serviced, as the daily threshold for total number of requests allocated to the user has "
    "been reached.",
    status="REQUEST_NOT_PROCESSED",
)
SHORTENED = answer([result("CPI", MONTHS)], "Year range has been reduced to the system-allowed limit of 10 years.")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>Access denied</html>", "not JSON"),
        (answer([result("CPI", MONTHS)])[:-30], "not JSON"),
        (b"[]", "a list instead of an object"),
        (REFUSED, "REQUEST_NOT_PROCESSED: .*daily threshold"),
        (SHORTENED, "the years asked for were shortened"),
        (answer([]), "a success without series"),
        (b'{"status": "REQUEST_SUCCEEDED", "message": [], "Results": null}', "a success without series"),
        (b'{"status": "REQUEST_SUCCEEDED", "Results": {"series": [{"seriesID": "CPI"}]}}', "without a list of rows"),
        (answer([result("CPI", [row(2019, "M12", "256.974")])]), "a row of 2019 in the answer for 2020 to 2029"),
    ],
)
def test_an_answer_that_is_not_the_whole_decade_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        parse(body)


@pytest.mark.parametrize("body", [REFUSED, SHORTENED])
def test_a_refusal_is_told_before_it_lands_and_closes_its_decade(body: bytes) -> None:
    request = bls.plan(CATALOG, TODAY)[-1]
    assert request.closed
    assert request.then is not None
    assert request.then(answer([result("CPI", [])])) == []
    with pytest.raises(BadPayload):
        request.then(body)


def test_a_key_that_is_not_ours_is_refused() -> None:
    with pytest.raises(BadPayload, match="no request is made under 'timeseries/2020-2029'"):
        parse(answer([result("CPI", MONTHS)]), "timeseries/2020-2029")


def test_decades_are_asked_newest_first_and_past_ones_once_a_quarter() -> None:
    running, closed = bls.plan(CATALOG, TODAY)

    assert [running.key.rpartition("/")[0], closed.key.rpartition("/")[0]] == [
        "timeseries/2020-2029/running",
        "timeseries/2010-2019/2026Q4",
    ]
    assert (running.closed, closed.closed) == (False, True)
    assert json.loads(running.body or b"") == {"seriesid": ["CPI", "PRS"], "startyear": "2020", "endyear": "2026"}
    assert json.loads(closed.body or b"") == {"seriesid": ["CPI", "PRS"], "startyear": "2011", "endyear": "2019"}
    assert running.headers == {"Content-Type": "application/json"}
    assert bls.plan(CATALOG, date(2027, 1, 4))[1].key.startswith("timeseries/2010-2019/2027Q1/")
    # The five years before 2031 are still revised, and they reach into the decade before.
    assert [request.closed for request in bls.plan(CATALOG, date(2031, 1, 4))] == [False, False, True]


def test_a_series_that_is_added_is_asked_for_its_past() -> None:
    more = Catalog([], [CPI, PRS, series("NEW", since=2005)], [], [])
    before, after = ({request.key for request in bls.plan(catalog, TODAY)} for catalog in (CATALOG, more))
    assert before.isdisjoint(after)
    assert len(after) == 3  # and one decade more, for it alone


def test_more_than_25_series_are_asked_in_batches() -> None:
    many = Catalog([], [series(f"S{i}") for i in range(30)], [], [])
    requests = bls.plan(many, TODAY)
    assert [len(json.loads(request.body or b"")["seriesid"]) for request in requests] == [25, 5, 25, 5]
    assert len({request.key for request in requests}) == 4


def test_the_shipped_series_fit_the_budget_of_a_day() -> None:
    requests = bls.plan(catalogue_of("bls"), TODAY)
    questions = [json.loads(request.body or b"") for request in requests]

    assert len(requests) == 12
    assert [question["startyear"] for question in questions][::11] == ["2020", "1913"]
    assert all(int(question["endyear"]) - int(question["startyear"]) < 10 for question in questions)
    assert [request.closed for request in requests] == [False] + [True] * 11
