"""The DBnomics module on answers in the documented shape, not recorded: "NA", an index, January and February."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, dbnomics
from tests.replay_routes.dbnomics import document

PPI, OUTPUT, SINCE_JANUARY = "NBS/M_A010801/A01080101", "NBS/M_A02091H/A02091H01", "NBS/M_A02091H/A02091H02"


def series(series_id: str, **select: Any) -> Series:
    return Series(
        id=series_id,
        source="dbnomics",
        title=series_id,
        publisher="National Bureau of Statistics of China",
        select=select,
        unit="pct",
        frequency=Frequency.MONTHLY,
        plausible=(-50, 5000),
        publication_lag_days=20,
        staleness_limit_days=150,
        licence="official statistics",
        history=History.STABLE,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("ppi", id=PPI, subtract=100),
        series("output", id=OUTPUT, months_alone=True),
        series("output_ytd", id=SINCE_JANUARY),
    ],
    [],
    [],
)


def test_the_index_less_100_keeps_its_digits_and_na_is_missing() -> None:
    body = document(PPI, [("2026-01", 98.6), ("2026-02", "NA"), ("2026-03", 100.5), ("2026-04", 100)])
    parsed = dbnomics.parse(body, PPI, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.rows() == [
        ("ppi", date(2026, 1, 1), -1.4, 1, "period 2026-01"),
        ("ppi", date(2026, 3, 1), 0.5, 1, "period 2026-03"),
        ("ppi", date(2026, 4, 1), 0.0, 1, "period 2026-04"),
    ]
    assert parsed.missing == {"ppi": 1}
    assert parsed.rejects.is_empty()


def test_a_number_of_more_digits_than_can_be_counted_is_rejected() -> None:
    body = document(PPI, [("2026-03", 100.5), ("2026-04", 1)]).replace(b", 1]", b", " + b"9" * 1_000_000 + b"]")
    parsed = dbnomics.parse(body, PPI, CATALOG)
    assert parsed.observations.get_column("value").to_list() == [0.5]
    assert parsed.rejects["row"].to_list() == ["period 2026-04"]


def test_january_is_never_made_up_and_the_sum_of_two_months_is_no_february() -> None:
    alone = [("2025-12", 387.0), ("2026-01", "NA"), ("2026-02", "NA"), ("2026-03", 385.5)]
    parsed = dbnomics.parse(document(OUTPUT, alone), OUTPUT, CATALOG)
    assert parsed.observations.get_column("period").to_list() == [date(2025, 12, 1), date(2026, 3, 1)]
    assert parsed.missing == {"output": 2}

    joined = [*alone[:2], ("2026-02", 752.3), alone[3]]
    parsed = dbnomics.parse(document(OUTPUT, joined), OUTPUT, CATALOG)
    assert parsed.observations.get_column("value").to_list() == [387.0, 385.5]
    assert parsed.rejects.rows() == [
        ("output", "period 2026-02", "February without January: the figure may be that of both months")
    ]


def test_a_february_with_its_january_and_the_sum_since_january_stay() -> None:
    both = [("2011-01", 131.0), ("2011-02", 128.5), ("2011-03", 144.0)]
    assert dbnomics.parse(document(OUTPUT, both), OUTPUT, CATALOG).observations.height == 3
    since = [("2026-01", "NA"), ("2026-02", 752.3), ("2026-03", 1137.8)]
    assert dbnomics.parse(document(SINCE_JANUARY, since), SINCE_JANUARY, CATALOG).observations.select(
        "period", "value"
    ).rows() == [(date(2026, 2, 1), 752.3), (date(2026, 3, 1), 1137.8)]


def test_a_frozen_series_is_all_missing_and_gives_no_row() -> None:
    parsed = dbnomics.parse(document(PPI, [("2023-01", "NA"), ("2023-02", "NA")]), PPI, CATALOG)
    assert parsed.observations.is_empty()
    assert parsed.missing == {"ppi": 2}


def test_cells_that_cannot_be_read_are_rejected_one_by_one() -> None:
    body = document(PPI, [("2026-01", "n.a."), ("2026-Q1", 101), ("2026-13", 101), ("2026-03", True), ("2026-04", 101)])
    parsed = dbnomics.parse(body, PPI, CATALOG)
    assert parsed.observations.height == 1
    assert parsed.rejects.get_column("reason").to_list() == [
        "not a number: 'n.a.'",
        "not a period of this series: '2026-Q1'",
        "not a period of this series: '2026-13'",
        "not a number: 'true'",
    ]


def _with(**series_part: Any) -> bytes:
    return json.dumps({"message": "not found", "series": series_part}).encode()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>504</html>", "not JSON"),
        (document(PPI, [("2026-01", 100)])[:-9], "not JSON"),
        (_with(docs=[]), "0 series in place of one: not found"),
        (b'{"message": "no such series"}', "0 series in place of one: no such series"),
        (b"[]", "0 series"),
        (_with(docs=[{}, {}]), "2 series in place of one"),
        (document(OUTPUT, [("2026-01", 100)]), f"the answer is {OUTPUT}"),
        (document(PPI, [("2026-01", 100)], **{"@frequency": "annual"}), "frequency 'annual'"),
        (document(PPI, [("2026-01", 100)], value=[100, 101]), "1 periods and 2 values"),
        (document(PPI, []), "0 periods and 0 values"),
    ],
)
def test_an_answer_that_is_not_the_series_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        dbnomics.parse(body, PPI, CATALOG)


def test_a_key_that_no_series_reads_is_refused_and_each_series_is_one_request() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        dbnomics.parse(document(PPI, [("2026-01", 100)]), "NBS/M_A010801/other", CATALOG)
    requests = dbnomics.plan(CATALOG, date(2026, 11, 22))
    assert [request.key for request in requests] == [PPI, OUTPUT, SINCE_JANUARY]
    assert requests[0].url == f"https://api.db.nomics.world/v22/series/{PPI}"
    assert requests[0].params == (("observations", "1"),)
