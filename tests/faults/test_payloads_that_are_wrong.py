"""Responses in the right format with wrong content: what is refused, what is quarantined, what changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Correction, CorrectionAction
from tests.faults.conftest import COPPER, FEDFUNDS, PPI, Desk, said_of
from tests.replay import Seen

Change = Callable[[bytes], bytes]
PLACES = {  # request key: address, publisher, content type
    "fredgraph/FEDFUNDS": (FEDFUNDS, "fred", "text/csv"),
    "RPT_ECONOMY_PPI": (PPI, "eastmoney", "application/json"),
    "PCPS/PCOPP": (COPPER, "imf_pcps", "text/csv"),
}
FED, PPI_KEY, CU = PLACES


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    """A change of the lines below the header."""

    def apply(body: bytes) -> bytes:
        header, *rest = body.splitlines(keepends=True)
        return header + b"".join(change(rest))

    return apply


def rows(change: Callable[[list[dict[str, Any]]], object]) -> Change:
    """A change of the rows of eastmoney's report; their count follows."""

    def apply(body: bytes) -> bytes:
        document = json.loads(body)
        change(document["result"]["data"])
        document["result"]["count"] = len(document["result"]["data"])
        return json.dumps(document).encode()

    return apply


def each(**fields: Callable[[Any], Any]) -> Change:
    def change(data: list[dict[str, Any]]) -> None:
        for row in data:
            for name, function in fields.items():
                row[name] = function(row[name])

    return rows(change)


def renamed(old: str, new: str | None) -> Change:
    def change(data: list[dict[str, Any]]) -> None:
        for row in data:
            value = row.pop(old)
            if new:
                row[new] = value

    return rows(change)


def prices(function: Callable[[float, str], float]) -> Change:
    """Every price of the IMF's file, as a function of itself and its month ("2025-M08")."""

    def apply(body: bytes) -> bytes:
        return re.sub(
            rb"(\d{4}-M\d\d),([\d.]+)",
            lambda m: m[1] + b",%.9f" % function(float(m[2]), m[1].decode()),
            body,
        )

    return apply


def last(value: float) -> Change:
    return prices(lambda price, month: value if month == "2025-M08" else price)


# name: request, change, what the asset checks say, what quarantine says of the row (None: the payload is refused)
WRONG: dict[str, tuple[str, Change, str, str | None]] = {
    "last year's file": (
        FED,
        lines(lambda rest: [line for line in rest if line < b"2025-08"]),
        "ends in 2025-07-01 (fred_fedfunds_pct), but an earlier response ended in 2026-07-01: an older file",
        None,
    ),
    "a column renamed, one series a file": (
        FED,
        lambda body: body.replace(b"FEDFUNDS", b"EFFR", 1),
        "header 'observation_date,EFFR' is not 'observation_date,FEDFUNDS'",
        None,
    ),
    "a column added where there are two": (
        FED,
        lambda body: re.sub(rb"(?m)$(?=\n)", b",1", body),
        "is not 'observation_date,FEDFUNDS'",
        None,
    ),
    "a column renamed": (
        PPI_KEY,
        renamed("BASE_SAME", "BASE_YOY"),
        "1 rows of cn_ppi_yoy_pct quarantined",
        "no row has the field BASE_SAME",
    ),
    "a column dropped": (
        PPI_KEY,
        renamed("BASE_SAME", None),
        "1 rows of cn_ppi_yoy_pct quarantined",
        "no row has the field BASE_SAME; the first has BASE, REPORT_DATE, TIME",
    ),
    "a unit changed, pounds for tonnes": (
        CU,
        prices(lambda price, _: price / 2204.62),
        "404 of 404 rows broke the contract",
        "is outside the plausible range of the catalogue",
    ),
    "a unit changed, short tons for tonnes": (
        CU,
        prices(lambda price, _: price / 1.1023113),
        "404 of 404 rows broke the contract",
        "its figures are 0.90718 times those known over 404 periods: another unit, base or sign",
    ),
    "a sign flipped": (
        PPI_KEY,
        each(BASE_SAME=lambda value: -value),
        "245 rows of cn_ppi_yoy_pct quarantined",  # not its index, beside it in the payload
        "its figures are -1.0 times those known over",
    ),
    "a value 1000 times too big": (
        CU,
        last(9671875.714),
        "1 rows of imf_copper_usd_per_tonne quarantined",
        "is outside the plausible range of the catalogue",
    ),
    "0 as a price": (CU, last(0.0), "1 rows of imf_copper_usd_per_tonne quarantined", "0"),
    "a negative price": (
        CU,
        last(-9671.9),
        "1 rows of imf_copper_usd_per_tonne quarantined",
        "is outside the plausible range of the catalogue",
    ),
    "a date in the future": (
        FED,
        lambda body: body + b"2027-01-01,3.5\n",
        "1 rows of fred_fedfunds_pct quarantined",
        "its period starts after the payload was fetched",
    ),
    "a date that is none": (
        FED,
        lambda body: body + b"2026-13-01,3.5\n",
        "1 rows of fred_fedfunds_pct quarantined",
        "not a period of this series: '2026-13-01'",
    ),
    "infinity": (
        FED,
        lambda body: body.replace(b"2026-06-01,3.63", b"2026-06-01,Infinity"),
        "1 rows of fred_fedfunds_pct quarantined",
        "not a number: 'Infinity'",
    ),
    "a word for a figure": (
        FED,
        lambda body: body.replace(b"2026-06-01,3.63", b"2026-06-01,3,63"),
        "1 rows of fred_fedfunds_pct quarantined",
        "not a number: '3,63'",
    ),
    "a row twice": (
        FED,
        lambda body: body + b"2026-06-01,3.64\n",
        "2 rows of fred_fedfunds_pct quarantined",
        "period 2026-06-01 is in the payload more than once",
    ),
    "rows twice, counted": (
        PPI_KEY,
        rows(lambda data: data.append(data[0])),
        "a REPORT_DATE is on more than one row",
        None,
    ),
    "rows lost, not counted": (
        PPI_KEY,
        lambda body: body.replace(b'"count": 245', b'"count": 250'),
        "page 1 of 1 has 245 rows of 250",
        None,
    ),
    "cut without a word": (FED, lambda body: body[:-4], "the last line is truncated", None),
    "JSON nested 100,000 deep": (
        PPI_KEY,
        lambda body: b'{"result": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "not JSON: maximum recursion depth exceeded",
        None,
    ),
    "another answer of the same publisher": (
        PPI_KEY,
        lambda body: b'{"result": null, "success": false, "message": "system busy, please wait", "code": 9501}',
        "no success: system busy, please wait",
        None,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_said_with_its_row_and_no_figure_changes(standing_desk: Desk, name: str) -> None:
    desk = standing_desk
    key, change, message, reason = WRONG[name]
    address, publisher, content_type = PLACES[key]
    before = desk.everything()
    desk.replay.serve(address, change(desk.body(key)), content_type)
    faulty = desk.run()
    assert message in faulty.said(publisher)
    if reason is None:
        assert f"source={publisher}" in faulty.said(publisher)
        assert desk.quarantined() == []
    else:
        found = desk.quarantined()
        assert any(reason in str(why) for _, _, why in found), found
        assert all(series and row for series, row, _ in found), "series and row are named"
    finding = desk.finding("every_answer_was_taken")  # printed by `metals status`, kept in audit.finding
    assert not finding.passed
    assert any((reason or message) in example and publisher in example for example in finding.examples)
    others = set(desk.catalog.sources) - {publisher}
    assert all(faulty.answered[o].passed and faulty.contract_held[o].passed for o in others), "the others go on"
    assert desk.everything() == before, "what was known stands"
    desk.replay.unserve()
    mended = desk.run()
    assert mended.said(publisher) == "", "and the next good answer is taken"
    assert desk.finding("every_answer_was_taken").passed
    assert desk.everything() == before


def _rounded(body: bytes) -> bytes:
    return re.sub(rb"(\d{4}-M\d\d),([\d.]+)", lambda m: m[1] + b",%d" % round(float(m[2])), body)


def _two_columns_swapped(body: bytes) -> bytes:
    def swap(line: bytes) -> bytes:
        cells = line.rstrip(b"\n").split(b",")
        cells[6], cells[7] = cells[7], cells[6]
        return b",".join(cells) + b"\n"

    return b"".join(swap(line) for line in body.splitlines(keepends=True))


HARMLESS: dict[str, tuple[str, Change]] = {
    "a byte order mark": (FED, lambda body: b"\xef\xbb\xbf" + body),
    "line ends of another system": (FED, lambda body: body.replace(b"\n", b"\r\n")),
    "shuffled rows": (FED, lines(lambda rest: rest[100:] + rest[:100][::-1])),
    "shuffled rows of JSON": (PPI_KEY, rows(lambda data: data.sort(key=lambda row: row["BASE"]))),
    "a column added": (PPI_KEY, rows(lambda data: [row.update(BASE_NEW=1.0) for row in data])),
    "columns in another order": (CU, _two_columns_swapped),
    "figures rounded": (CU, _rounded),
    "NaN for a figure": (FED, lambda body: body.replace(b"2026-06-01,3.63", b"2026-06-01,NaN")),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_no_figure_is_taken_without_a_word(standing_desk: Desk, name: str) -> None:
    desk = standing_desk
    key, change = HARMLESS[name]
    address, publisher, content_type = PLACES[key]
    before = desk.everything()
    desk.replay.serve(address, change(desk.body(key)), content_type)
    day = desk.run()
    assert day.outcomes(publisher)[0] == "fresh"
    expected = "1 periods of fred_fedfunds_pct are no longer published (kept as they were)" if "NaN" in name else ""
    assert day.said(publisher) == expected
    assert desk.everything() == before
    desk.replay.unserve()
    desk.run()


@pytest.mark.parametrize("name", ["a column renamed, one series a file", "a unit changed, pounds for tonnes"])
def test_a_refusal_is_said_until_there_is_another_answer(standing_desk: Desk, name: str) -> None:
    """However often it is looked at, and whatever else the publisher is asked for after it."""
    desk = standing_desk
    key, change, message, _ = WRONG[name]
    address, publisher, content_type = PLACES[key]
    desk.replay.serve(address, change(desk.body(key)), content_type)
    first, same = desk.run(), desk.run()
    assert (first.outcomes(publisher)[0], same.outcomes(publisher)[0]) == ("fresh", "unchanged")
    for said in (first.said(publisher), said_of(desk.check_again(publisher)), same.said(publisher)):
        assert message in said
    assert any(message in example for example in desk.finding("every_answer_was_taken").examples)
    if publisher == "fred":  # one request
        assert [desk.summary(day, publisher) for day in (first, same)] == ["kept (refused by contract)"] * 2
    else:
        assert [desk.summary(day, publisher) for day in (first, same)] == ["unchanged, part refused"] * 2
    desk.replay.unserve()
    taken = desk.run()
    assert taken.said(publisher) == ""
    assert desk.summary(taken, publisher) == "fresh"
    assert desk.check_again(publisher).passed


# What publishers do on purpose


def test_a_revision_is_a_row_of_its_own_and_the_first_figure_stays_known(desk: Desk) -> None:
    desk.run()
    desk.replay.serve(FEDFUNDS, desk.body(FED).replace(b"2026-06-01,3.63", b"2026-06-01,3.65"), "text/csv")
    day = desk.run()
    assert (day.reports["fred"].rows_added, day.reports["fred"].rows_changed) == (0, 1)
    assert desk.rows(
        "select value, known_at_basis from raw.observation "
        "where series_id = 'fred_fedfunds_pct' and period = date '2026-06-01' order by known_at"
    ) == [(3.63, "assumed_lag"), (3.65, "observed")]
    assert day.contract_held["fred"].passed, "a revision is no fault"


def test_a_figure_taken_back_stays_and_is_said(desk: Desk) -> None:
    desk.run()
    before = desk.everything()
    desk.replay.serve(FEDFUNDS, desk.body(FED).replace(b"2026-05-01,3.63\n", b""), "text/csv")
    day = desk.run()
    assert day.said("fred") == "1 periods of fred_fedfunds_pct are no longer published (kept as they were)"
    assert desk.everything() == before


def test_a_release_that_is_late_is_said_when_it_is_late_and_not_before(desk: Desk) -> None:
    desk.run()  # on 17 August the July average is out
    in_time = desk.run(28)  # 14 September: August is due about the 5th, the limit is 45 days after the end of July
    assert in_time.fresh["fred"].passed
    late = desk.run(2)  # 16 September, 47 days after it
    assert not late.fresh["fred"].passed
    assert "fred_fedfunds_pct: 47 days, limit 45" in str(late.fresh["fred"].metadata["stale"].value)
    assert late.outcomes("fred") == ["unchanged"], "although its publisher answers: the calendar tells, not the fetch"


def test_a_series_that_restarts_under_its_name_leaves_a_hole_that_is_named(desk: Desk) -> None:
    desk.run()
    assert desk.finding("series_have_no_holes").passed
    desk.replay.serve(FEDFUNDS, desk.body(FED) + b"2027-02-01,3.10\n", "text/csv")
    day = desk.run(200)
    assert day.contract_held["fred"].passed
    finding = desk.finding("series_have_no_holes")
    assert not finding.passed
    assert finding.examples == ["fred_fedfunds_pct: 6 periods missing, the newest 2027-01-01"]


def test_a_series_that_restarts_as_another_one_is_held_back(desk: Desk) -> None:
    """Pence for cents, say: 29,000 lies in the plausible range of copper, but not after prices of 1,400."""
    low = prices(lambda price, month: 1400 + int(month[-2:]))
    desk.run()
    body = low(desk.body(CU))
    with closing(Desk(desk.replay, desk.settings.warehouse_dir / "other", desk.catalog)) as fresh:
        fresh.replay.serve(COPPER, body.replace(b"2025-M08", b"2024-M13"), "text/csv")
        fresh.run()
        before = fresh.figures("imf_copper_usd_per_tonne")
        assert max(before.values()) == 1412.0
        fresh.replay.serve(COPPER, body.replace(b"2025-M08,1408.000000000", b"2025-M08,29000"), "text/csv")
        day = fresh.run()
        assert day.said("imf_pcps") == "1 rows of imf_copper_usd_per_tonne quarantined"
        (found,) = fresh.quarantined()
        assert found[2] == "is more than 20 times the largest figure known, 1412.0"
        assert "2025-08-01 = 29000.0" in str(found[1])
        assert fresh.figures("imf_copper_usd_per_tonne") == before


def corrected(catalog: Catalog, *entries: Correction) -> Catalog:
    return Catalog(
        catalog.sources.values(), catalog.series.values(), [], catalog.metals.values(), (), (), list(entries)
    )


def correction(action: CorrectionAction, series: str, period: date, published: float | None) -> Correction:
    return Correction(
        id="one",
        series=series,
        period=period,
        action=action,
        published=published,
        known_on=date(2026, 8, 1),
        reason="for a test",
        reference="a test",
    )


def test_a_redefinition_is_taken_once_a_correction_accepts_it(desk: Desk) -> None:
    desk.run()
    old = desk.figures("imf_copper_usd_per_tonne")
    desk.replay.serve(COPPER, prices(lambda price, _: price * 1.25)(desk.body(CU)), "text/csv")
    assert "1.25 times those known" in str(desk.run().reports["imf_pcps"].refused)
    assert desk.figures("imf_copper_usd_per_tonne") == old

    newest = date(2025, 8, 1)
    accepted = correction(CorrectionAction.ACCEPT, "imf_copper_usd_per_tonne", newest, old[newest] * 1.25)
    desk.catalog = corrected(desk.catalog, accepted)
    desk.replay.serve(COPPER, prices(lambda price, _: price * 1.25)(desk.body(CU)) + b"\n", "text/csv")
    day = desk.run()
    assert day.said("imf_pcps") == ""
    assert day.reports["imf_pcps"].rows_changed == len(old)
    assert desk.figures("imf_copper_usd_per_tonne")[newest] == pytest.approx(old[newest] * 1.25)


def test_a_hole_that_will_never_be_filled_is_explained_by_a_flag_and_only_there(desk: Desk) -> None:
    desk.replay.serve(FEDFUNDS, re.sub(rb"2025-(10|11)-01,.*\n", b"", _history(desk)), "text/csv")
    desk.run()
    assert desk.finding("series_have_no_holes").examples == [
        "fred_fedfunds_pct: 2 periods missing, the newest 2025-11-01"
    ]
    flag = correction(CorrectionAction.FLAG, "fred_fedfunds_pct", date(2025, 10, 1), None)
    second = flag.model_copy(update={"id": "two", "period": date(2025, 11, 1)})
    desk.catalog = corrected(desk.catalog, flag)
    desk.run()
    assert desk.finding("series_have_no_holes").examples == [
        "fred_fedfunds_pct: 1 periods missing, the newest 2025-11-01"
    ]
    desk.catalog = corrected(desk.catalog, flag, second)
    desk.run()
    assert desk.finding("series_have_no_holes").passed
    assert desk.finding("corrections_still_apply").passed


def test_a_correction_of_what_the_publisher_no_longer_says_is_named(desk: Desk) -> None:
    desk.catalog = corrected(
        desk.catalog, correction(CorrectionAction.DROP, "fred_fedfunds_pct", date(2026, 6, 1), 3.63)
    )
    desk.run()
    assert desk.finding("corrections_still_apply").passed
    desk.replay.serve(FEDFUNDS, desk.body(FED).replace(b"2026-06-01,3.63", b"2026-06-01,3.65"), "text/csv")
    desk.run()
    finding = desk.finding("corrections_still_apply")
    assert not finding.passed
    assert finding.examples == ["one: fred_fedfunds_pct 2026-06-01 is now 3.65, the correction is of 3.63"]


def _history(desk: Desk) -> bytes:
    """The recorded file, before anything was landed here."""
    seen = Seen("fred.stlouisfed.org", "/graph/fredgraph.csv", {"id": ["FEDFUNDS"]}, {}, 0.0)
    return desk.replay.answer(seen).body
