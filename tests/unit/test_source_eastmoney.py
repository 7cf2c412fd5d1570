"""The eastmoney module on small reports made here, and on the refusals that come with status 200."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, eastmoney

REPORT = "RPT_ECONOMY_PPI"


def series(series_id: str, field: str, report: str = REPORT) -> Series:
    return Series(
        id=series_id,
        source="eastmoney",
        title=series_id,
        publisher="National Bureau of Statistics of China",
        select={"report": report, "field": field},
        unit="pct",
        frequency=Frequency.MONTHLY,
        plausible=(-50, 200),
        publication_lag_days=15,
        staleness_limit_days=65,
        licence="official statistics",
        history=History.STABLE,
        description=series_id,
    )


CATALOG = Catalog(
    [], [series("index", "BASE"), series("yoy", "BASE_SAME"), series("m2", "BASIC_CURRENCY", "RPT_M")], [], []
)


def row(month: str, **fields: Any) -> dict[str, Any]:
    return {"REPORT_DATE": f"{month}-01 00:00:00", **fields}


ROWS = [
    row("2026-03", BASE=100.5, BASE_SAME=0.5),
    row("2026-02", BASE=99.1, BASE_SAME=-0.9),
    row("2026-01", BASE=98, BASE_SAME=None),
]


def envelope(rows: Any, **changed: Any) -> bytes:
    result = {"pages": 1, "data": rows, "count": len(rows or []), **changed.pop("result", {})}
    return json.dumps(
        {"version": "x", "result": result, "success": True, "message": "ok", "code": 0} | changed
    ).encode()


def test_figures_are_read_as_printed_and_a_null_is_missing() -> None:
    parsed = eastmoney.parse(envelope(ROWS), REPORT, CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.sort("series_id", "period").rows() == [
        ("index", date(2026, 1, 1), 98.0, 1, "BASE at 2026-01-01 00:00:00"),
        ("index", date(2026, 2, 1), 99.1, 1, "BASE at 2026-02-01 00:00:00"),
        ("index", date(2026, 3, 1), 100.5, 1, "BASE at 2026-03-01 00:00:00"),
        ("yoy", date(2026, 2, 1), -0.9, 1, "BASE_SAME at 2026-02-01 00:00:00"),
        ("yoy", date(2026, 3, 1), 0.5, 1, "BASE_SAME at 2026-03-01 00:00:00"),
    ]
    assert parsed.missing == {"yoy": 1}
    assert parsed.rejects.is_empty()


def test_a_field_that_is_gone_fails_its_series_alone() -> None:
    rows = [{("SAME" if name == "BASE_SAME" else name): value for name, value in r.items()} for r in ROWS]
    parsed = eastmoney.parse(envelope(rows), REPORT, CATALOG)

    assert parsed.rejects.rows() == [
        ("yoy", REPORT, "no row has the field BASE_SAME; the first has BASE, REPORT_DATE, SAME")
    ]
    assert set(parsed.observations.get_column("series_id")) == {"index"}


def test_cells_and_months_that_cannot_be_read_are_rejected_one_by_one() -> None:
    rows = [
        *ROWS,
        row("2025-12", BASE="n.a.", BASE_SAME=True),
        {"REPORT_DATE": "2025-11-30 00:00:00", "BASE": 97.8, "BASE_SAME": -2.2},
        row("2025-10", BASE=97.9),
    ]
    parsed = eastmoney.parse(envelope(rows), REPORT, CATALOG)

    assert parsed.rejects.sort("series_id", "row").select("series_id", "reason").rows() == [
        ("index", "not a period of this series: '2025-11-30 00:00:00'"),
        ("index", "not a number: 'n.a.'"),
        ("yoy", "not a number: '(field absent)'"),
        ("yoy", "not a period of this series: '2025-11-30 00:00:00'"),
        ("yoy", "not a number: 'true'"),
    ]
    assert parsed.observations.height == 3 + 2 + 1


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>403</html>", "not JSON"),
        (envelope(ROWS)[:-40], "not JSON"),
        (b"[]", "no success"),
        (envelope(ROWS, success=False, code=9501, message="report does not exist"), "report does not exist"),
        (envelope(ROWS, code=9501, message="busy"), "busy"),
        (b'{"success": true, "code": 0, "result": null}', "without a result"),
        (envelope([]), "without rows"),
        (envelope(ROWS, result={"count": 4}), "has 3 rows of 4"),
        (envelope(ROWS, result={"count": None}), "count 'None'"),
        (envelope([*ROWS, ROWS[0]]), "more than one row"),
        (envelope([{"REPORT_DATE": "2026-03-01 00:00:00", "OTHER": 1}]), "none of the catalogued fields"),
    ],
)
def test_an_answer_that_is_not_the_whole_report_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        eastmoney.parse(body, REPORT, CATALOG)


def test_a_report_that_no_series_reads_is_refused() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads 'RPT_OTHER'"):
        eastmoney.parse(envelope(ROWS), "RPT_OTHER", CATALOG)


def test_one_request_per_report_and_none_further_for_one_page() -> None:
    requests = eastmoney.plan(CATALOG, date(2026, 11, 22))

    assert [request.key for request in requests] == [REPORT, "RPT_M"]
    assert dict(requests[0].params) == {
        "reportName": REPORT,
        "columns": "ALL",
        "pageNumber": "1",
        "pageSize": "2000",
        "sortColumns": "REPORT_DATE",
        "sortTypes": "-1",
        "source": "WEB",
        "client": "WEB",
    }
    assert requests[0].then is not None
    assert requests[0].then(envelope(ROWS)) == []


def test_further_pages_are_asked_for_and_read_like_the_first() -> None:
    (first, _) = eastmoney.plan(CATALOG, date(2026, 11, 22))
    assert first.then is not None
    paged = {"pages": 3, "count": 5}
    second, third = first.then(envelope(ROWS[:2], result=paged))

    assert (second.key, dict(second.params)["pageNumber"]) == ("RPT_ECONOMY_PPI/page2", "2")
    assert (third.key, third.then) == ("RPT_ECONOMY_PPI/page3", None)
    assert eastmoney.parse(envelope(ROWS[:2], result=paged), second.key, CATALOG).observations.height == 4
    assert eastmoney.parse(envelope(ROWS[2:], result=paged), third.key, CATALOG).observations.height == 1
    with pytest.raises(BadPayload, match="page 2 of 3 has 1 rows of 5"):
        eastmoney.parse(envelope(ROWS[2:], result=paged), second.key, CATALOG)


def test_industry_and_purchasing_managers_are_read_in_the_documented_shape() -> None:
    """Documented shape, not recorded: field names as public code reads them, January of industry left empty."""
    catalog = Catalog(
        [],
        [
            series("pmi", "MAKE_INDEX", "RPT_ECONOMY_PMI"),
            series("services", "NMAKE_INDEX", "RPT_ECONOMY_PMI"),
            series("industry", "BASE_SAME", "RPT_ECONOMY_INDUS_GROW"),
            series("industry_ytd", "BASE_ACCUMULATE", "RPT_ECONOMY_INDUS_GROW"),
        ],
        [],
        [],
    )
    pmi = [row("2024-05", TIME="2024年05月份", MAKE_INDEX=49.5, MAKE_SAME=1.43, NMAKE_INDEX=51.1, NMAKE_SAME=-6.24)]
    industry = [
        row("2026-03", TIME="2026年03月份", BASE_SAME=5.7, BASE_ACCUMULATE=6.1),
        row("2026-02", TIME="2026年02月份", BASE_SAME=None, BASE_ACCUMULATE=6.3),
    ]

    parsed = eastmoney.parse(envelope(pmi), "RPT_ECONOMY_PMI", catalog)
    assert dict(parsed.observations.select("series_id", "value").iter_rows()) == {"pmi": 49.5, "services": 51.1}
    parsed = eastmoney.parse(envelope(industry), "RPT_ECONOMY_INDUS_GROW", catalog)
    assert parsed.observations.select("series_id", "period", "value").sort("series_id", "period").rows() == [
        ("industry", date(2026, 3, 1), 5.7),
        ("industry_ytd", date(2026, 2, 1), 6.3),
        ("industry_ytd", date(2026, 3, 1), 6.1),
    ]
    assert parsed.missing == {"industry": 1}

    renamed = [{("MAKE_PMI" if name == "MAKE_INDEX" else name): value for name, value in pmi[0].items()}]
    parsed = eastmoney.parse(envelope(renamed), "RPT_ECONOMY_PMI", catalog)
    assert parsed.rejects.get_column("series_id").to_list() == ["pmi"]
    assert parsed.observations.get_column("series_id").to_list() == ["services"]
