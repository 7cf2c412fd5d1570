"""The FRED module on small CSV bodies of both eras, and on the answers that look like one."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, fred


def series(identifier: str, frequency: Frequency) -> Series:
    return Series(
        id=identifier.lower(),
        source="fred",
        title=identifier,
        publisher="an office",
        select={"id": identifier},
        unit="pct",
        frequency=frequency,
        plausible=(-100, 100),
        publication_lag_days=1,
        staleness_limit_days=10,
        licence="public domain",
        history=History.STABLE,
        description=identifier,
    )


CATALOG = Catalog(
    [],
    [
        series("DFII10", Frequency.DAILY),
        series("FEDFUNDS", Frequency.MONTHLY),
        series("GDP", Frequency.QUARTERLY),
        series("FYFSGDA188S", Frequency.US_FISCAL_YEAR),
    ],
    [],
    [],
)


def figures(body: str, identifier: str) -> dict[date, float]:
    parsed = fred.parse(body.encode(), f"fredgraph/{identifier}", CATALOG)
    return dict(parsed.observations.select("period", "value").iter_rows())


@pytest.mark.parametrize(
    "body",
    [
        "DATE,DFII10\n2026-08-03,2.38\n2026-08-04,.\n2026-08-05,-0.40\n",
        "observation_date,DFII10\r\n2026-08-03,2.38\r\n2026-08-04,\r\n2026-08-05,-0.40\r\n",
        "\ufeffobservation_date,DFII10\n2026-08-03,2.38\n2026-08-04,\n2026-08-05,-0.40\n",
    ],
)
def test_both_eras_of_header_and_missing_marker_are_read(body: str) -> None:
    parsed = fred.parse(body.encode(), "fredgraph/DFII10", CATALOG)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.rows() == [
        ("dfii10", date(2026, 8, 3), 2.38, 2, "line 2"),
        ("dfii10", date(2026, 8, 5), -0.4, 2, "line 4"),
    ]
    assert parsed.missing == {"dfii10": 1}
    assert parsed.rejects.is_empty()


def test_a_fiscal_year_starts_in_october_of_the_year_before() -> None:
    body = "observation_date,FYFSGDA188S\n2024-01-01,-6.2\n2025-01-01,-5.76906\n"
    assert figures(body, "FYFSGDA188S") == {date(2023, 10, 1): -6.2, date(2024, 10, 1): -5.76906}


def test_digits_dropped_by_the_publisher_do_not_coarsen_a_figure() -> None:
    body = "observation_date,FEDFUNDS\n2024-01-01,5.3\n2026-05-01,3.6\n2026-06-01,3.6300000000\n2026-07-01,4\n"
    parsed = fred.parse(body.encode(), "fredgraph/FEDFUNDS", CATALOG)
    assert parsed.observations.get_column("decimals").to_list() == [1, 10, 10, 10]


@pytest.mark.parametrize(
    ("identifier", "line", "reason"),
    [
        ("DFII10", "2026-08-32,1.0", "not a period of this series: '2026-08-32'"),
        ("DFII10", "2026-08-06,n.m.", "not a number: 'n.m.'"),
        ("DFII10", "2026-08-06,1.0,2.0", "not a number: '1.0,2.0'"),
        ("DFII10", "2026-08-06,inf", "not a number: 'inf'"),
        ("FEDFUNDS", "2026-08-15,1.0", "not a period of this series: '2026-08-15'"),
        ("GDP", "2026-08-01,1.0", "not a period of this series: '2026-08-01'"),
        ("FYFSGDA188S", "2025-09-30,1.0", "not a period of this series: '2025-09-30'"),
    ],
)
def test_a_line_that_is_no_observation_is_rejected_and_the_others_are_kept(
    identifier: str, line: str, reason: str
) -> None:
    body = f"observation_date,{identifier}\n2026-01-01,1.5\n{line}\n"
    parsed = fred.parse(body.encode(), f"fredgraph/{identifier}", CATALOG)

    assert parsed.rejects.rows() == [(identifier.lower(), "line 3", reason)]
    assert parsed.observations.get_column("value").to_list() == [1.5]


def test_a_date_that_stands_twice_is_rejected_both_times() -> None:
    body = "observation_date,DFII10\n2026-08-03,2.38\n2026-08-03,2.39\n2026-08-04,2.40\n"
    parsed = fred.parse(body.encode(), "fredgraph/DFII10", CATALOG)

    assert parsed.rejects.get_column("row").to_list() == ["line 2", "line 3"]
    assert parsed.observations.get_column("value").to_list() == [2.4]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("\n <!DOCTYPE html><html>Access denied</html>", "HTML page"),
        ("observation_date,DFII10_20250630\n2025-06-27,2.1\n", "DFII10_20250630 is a vintage"),
        ("observation_date,DGS10\n2025-06-27,4.1\n", "is not 'observation_date,DFII10'"),
        ("observation_date,DFII10,DGS10\n2025-06-27,2.1,4.1\n", "is not 'observation_date,DFII10'"),
        ("date,DFII10\n2025-06-27,2.1\n", "is not 'observation_date,DFII10'"),
        ("observation_date,DFII10\n", "header without rows"),
        ("observation_date,DFII10\n2025-06-27,2.1", "the last line is truncated"),
        ("", "is not 'observation_date,DFII10'"),
    ],
)
def test_an_answer_to_another_question_is_refused(body: str, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        fred.parse(body.encode(), "fredgraph/DFII10", CATALOG)


def test_a_key_that_no_series_reads_is_refused() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads 'fredgraph/UNRATE'"):
        fred.parse(b"observation_date,UNRATE\n2026-01-01,4.4\n", "fredgraph/UNRATE", CATALOG)


def test_each_identifier_is_asked_for_on_its_own() -> None:
    requests = fred.plan(CATALOG, date(2026, 11, 22))

    assert [request.key for request in requests] == [
        "fredgraph/DFII10",
        "fredgraph/FEDFUNDS",
        "fredgraph/GDP",
        "fredgraph/FYFSGDA188S",
    ]
    assert {request.url for request in requests} == {"https://fred.stlouisfed.org/graph/fredgraph.csv"}
    assert requests[0].params == (("id", "DFII10"),)
