"""The LBMA module on small lists in the recorded shape, and on answers that are none."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, lbma


def series(file: str) -> Series:
    return Series(
        id=file,
        source="lbma",
        title=file,
        publisher="an administrator",
        select={"file": file},
        unit="usd_per_troy_ounce",
        frequency=Frequency.DAILY,
        plausible=(1, 100000),
        publication_lag_days=1,
        staleness_limit_days=10,
        licence="personal use",
        history=History.STABLE,
        description=file,
    )


CATALOG = Catalog([], [series("gold_pm"), series("silver")], [], [])


def day(text: Any, *legs: Any) -> dict[str, Any]:
    return {"is_cms_locked": 0, "d": text, "v": list(legs)}


def test_the_dollar_leg_is_read_as_printed() -> None:
    body = json.dumps([day("2026-08-06", 4267.85, 3166.74, 3697.24), day("2026-08-07", 4335, 3214.38, None)]).encode()
    parsed = lbma.parse(body, "gold_pm", CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.rows() == [
        ("gold_pm", date(2026, 8, 6), 4267.85, 2, "day 2026-08-06"),
        ("gold_pm", date(2026, 8, 7), 4335.0, 2, "day 2026-08-07"),
    ]
    assert parsed.rejects.is_empty()
    assert not parsed.missing


@pytest.mark.parametrize("nothing", [0, 0.0, None])
def test_a_zero_and_a_null_are_missing_whatever_the_other_legs_say(nothing: Any) -> None:
    body = json.dumps([day("2026-08-06", nothing, 3166.74, 3697.24), day("2026-08-07", 4335.55, 0, None)]).encode()
    parsed = lbma.parse(body, "gold_pm", CATALOG)

    assert parsed.observations["value"].to_list() == [4335.55]
    assert dict(parsed.missing) == {"gold_pm": 1}
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (day("2026-08-32", 1.0, 1.0, 1.0), "not a period of this series: '2026-08-32'"),
        (day(None, 1.0, 1.0, 1.0), "not a period of this series: ''"),
        (day("2026-08-05", 1.0, 1.0), 'not a number: \'(legs ["1.0", "1.0"])\''),
        ({"d": "2026-08-05"}, "not a number: '(legs null)'"),
        (day("2026-08-05", "n/q", 1.0, 1.0), "not a number: 'n/q'"),
        (day("2026-08-05", True, 1.0, 1.0), "not a number: 'true'"),
    ],
)
def test_a_row_that_is_no_price_is_rejected_and_the_others_are_kept(row: dict[str, Any], reason: str) -> None:
    body = json.dumps([day("2026-08-04", 4000.0, 1.0, 1.0), row]).encode()
    parsed = lbma.parse(body, "gold_pm", CATALOG)

    assert parsed.rejects["reason"].to_list() == [reason]
    assert parsed.observations["value"].to_list() == [4000.0]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>Just a moment</html>", "not JSON"),
        (b'[{"d": "2026-08-06", "v": [4267.85', "not JSON"),
        (b"[]", "not a list of days"),
        (b'{"d": "2026-08-06"}', "not a list of days"),
        (b"[1, 2]", "not a list of days"),
    ],
)
def test_an_answer_that_is_no_list_of_days_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        lbma.parse(body, "gold_pm", CATALOG)


def test_a_key_that_no_series_reads_is_refused() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads 'gold_am'"):
        lbma.parse(b"[]", "gold_am", CATALOG)


def test_each_auction_is_one_request() -> None:
    assert [(r.key, r.url) for r in lbma.plan(CATALOG, date(2026, 11, 22))] == [
        ("gold_pm", "https://prices.lbma.org.uk/json/gold_pm.json"),
        ("silver", "https://prices.lbma.org.uk/json/silver.json"),
    ]
