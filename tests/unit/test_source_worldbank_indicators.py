"""The World Bank indicators module on small answers: documented shape, not recorded."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest

from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, worldbank_indicators
from tests.replay_routes.worldbank_indicators import REFUSAL, answer, routes, row
from tests.unit.catalogued import catalogue_of

CATALOG = catalogue_of("worldbank_indicators")
GDP, KEY = "NY.GDP.MKTP.CD", "NY.GDP.MKTP.CD/WLD"


def rows(**values: Any) -> list[dict[str, Any]]:
    return [row(GDP, "WLD", year.removeprefix("y"), value) for year, value in values.items()]


def parse(body: bytes, key: str = KEY) -> worldbank_indicators.Parsed:
    return worldbank_indicators.parse(body, key, CATALOG)


def test_years_are_read_with_every_printed_digit_and_a_null_is_missing() -> None:
    body = answer(rows(y2025=None, y2024=111326370284731.0, y2023=1.0738e14, y1960=1392169218000))
    parsed = parse(body)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert parsed.observations.select("series_id", "period", "value").rows() == [
        ("wb_gdp_wld_usd", date(1960, 1, 1), 1392169218000.0),
        ("wb_gdp_wld_usd", date(2023, 1, 1), 107380000000000.0),
        ("wb_gdp_wld_usd", date(2024, 1, 1), 111326370284731.0),
    ]
    assert parsed.missing == {"wb_gdp_wld_usd": 1}
    assert parsed.rejects.is_empty()


def test_a_share_keeps_its_digits_and_its_series() -> None:
    body = answer([row("NE.TRD.GNFS.ZS", "USA", "2023", 24.8904236551), row("NE.TRD.GNFS.ZS", "USA", "2022", 26.9)])
    parsed = parse(body, "NE.TRD.GNFS.ZS/USA")
    assert parsed.observations.select("series_id", "value", "decimals").rows() == [
        ("wb_trade_usa_pct_of_gdp", 26.9, 10),
        ("wb_trade_usa_pct_of_gdp", 24.8904236551, 10),
    ]


def test_dates_and_cells_that_cannot_be_read_are_rejected_one_by_one() -> None:
    parsed = parse(answer([*rows(y2024=1.1e14, y2023="n.a.", y2022=True, y2021Q1=1.0e14), *rows(y2020=1, y2020_=2)]))

    assert sorted(parsed.rejects["reason"]) == [
        "not a number: 'n.a.'",
        "not a number: 'true'",
        "not a period of this series: '2020_'",
        "not a period of this series: '2021Q1'",
    ]
    assert parsed.observations["period"].to_list() == [date(2020, 1, 1), date(2024, 1, 1)]


def test_a_year_that_stands_twice_is_rejected_both_times() -> None:
    parsed = parse(answer([*rows(y2024=1.1e14, y2023=1.0e14), *rows(y2024=1.2e14)]))
    assert parsed.rejects.height == 2
    assert parsed.observations["period"].to_list() == [date(2023, 1, 1)]


GOOD = rows(y2024=1.1e14, y2023=1.0e14)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<?xml version='1.0'?><wb:data/>", "not JSON"),
        (answer(GOOD)[:-20], "not JSON"),
        (b"{}", "not a list"),
        (b"[]", "not a list"),
        (json.dumps(REFUSAL).encode(), "refused: Invalid value: The provided parameter value is not valid"),
        (answer(None), "no rows"),
        (answer([]), "no rows"),
        (answer(GOOD)[: answer(GOOD).index(b"},") + 1] + b"]", "no rows"),
        (answer(GOOD, pages=2), "2 rows of 2 on page 1 of 2"),
        (answer(GOOD, total=66), "2 rows of 66 on page 1 of 1"),
        (answer([*GOOD, row(GDP, "USA", "2022", 1.0)]), "a row of NY.GDP.MKTP.CD for USA"),
        (answer([row("NY.GDP.MKTP.KD", "WLD", "2022", 1.0)]), "a row of NY.GDP.MKTP.KD for WLD"),
    ],
)
def test_an_answer_to_another_question_or_a_part_of_one_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        parse(body)


@pytest.mark.parametrize("key", ["NY.GDP.MKTP.CD", "NY.GDP.MKTP.CD/DEU", "SP.POP.TOTL/WLD"])
def test_a_key_that_no_series_reads_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        parse(answer(GOOD), key)


def test_one_request_per_indicator_and_country_and_the_replay_answers_each() -> None:
    requests = worldbank_indicators.plan(CATALOG, date(2026, 11, 22))

    assert [request.key for request in requests][:2] == ["NY.GDP.MKTP.CD/USA", "NY.GDP.MKTP.CD/CHN"]
    assert len(requests) == 6
    assert requests[0].url == "https://api.worldbank.org/v2/country/USA/indicator/NY.GDP.MKTP.CD"
    assert requests[0].params == (("format", "json"), ("per_page", "20000"))
    for request in requests:
        host_and_path = request.url.removeprefix("https://")
        reply = next(reply for host, path, reply in routes() if re.fullmatch(re.escape(host) + path, host_and_path))
        query = {name: [value] for name, value in request.params}
        status, _, body = reply(query, b"", None)
        assert status == 200
        parsed = parse(body, request.key)
        assert parsed.rejects.is_empty()
        series = CATALOG.series[parsed.observations["series_id"][0]]
        assert parsed.observations["value"].is_between(*series.plausible).all()
