"""World Bank indicators (API v2, JSON): annual figures, one request per indicator and country or group of countries.

Errors have status 200 and a list with a message, and a page size below the number of years silently truncates the
result; so the envelope is checked against the request.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "worldbank_indicators"
URL = "https://api.worldbank.org/v2/country/{country}/indicator/{indicator}"
PER_PAGE = 20000  # an annual indicator of one country has under a hundred rows; the API's default is 50

# No `starts_with` beyond the bracket: an error is a list too, and the parser names its message.
ANSWER = Expect(starts_with=(b"[",))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per indicator and country; the whole history, since any year of it may be revised."""
    pairs = dict.fromkeys(
        (str(series.select["indicator"]), str(series.select["country"])) for series in catalog.series_of(SOURCE)
    )
    return [
        Request(
            key=f"{indicator}/{country}",
            url=URL.format(country=country, indicator=indicator),
            expect=ANSWER,
            # Without `format` the response is XML.
            params=(("format", "json"), ("per_page", str(PER_PAGE))),
        )
        for indicator, country in pairs
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Annual figures of one indicator and country, in its own unit; `period` is 1 January of the year.

    A null is a missing value: the newest years are listed before they have figures.

    Raises BadPayload if the body is not JSON, has a message in place of rows, does not have all rows on one page, or
    has rows of an indicator or country other than those of `key`, or if no catalogued series reads the key.
    """
    indicator, _, country = key.partition("/")
    wanted = [
        series
        for series in catalog.series_of(SOURCE)
        if (series.select["indicator"], series.select["country"]) == (indicator, country)
    ]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    rows = _rows(body, key)
    for row in rows:
        found = (_member(row, "indicator", "id"), row.get("countryiso3code"))
        if found != (indicator, country):
            raise BadPayload(f"{key}: a row of {found[0]} for {found[1]}", source=SOURCE)

    table = (
        pl.DataFrame(
            {name: [_printed(row.get(name)) for row in rows] for name in ("date", "value")},
            schema={"date": pl.String, "value": pl.String},
        )
        .with_columns(year=pl.col("date").str.extract(r"^(\d{4})$").cast(pl.Int32))
        .select(
            pl.col("date").alias("period_text"),
            pl.date("year", 1, 1).alias("period"),
            pl.col("value").alias("text"),
            pl.lit(None, dtype=pl.Float64).alias("number"),
            pl.format(f"{key} at {{}}", pl.col("date").fill_null("null")).alias("row"),
        )
    )
    return _cells.read(
        pl.concat(
            table.select(pl.lit(series.id).alias("series_id"), *(name for name in _cells.CELL if name != "series_id"))
            for series in wanted
        )
    )


def _rows(body: bytes, key: str) -> list[dict[str, Any]]:
    """All rows of the response, with numbers as printed text."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE) from None
    if not isinstance(document, list) or not document or not isinstance(document[0], dict):
        raise BadPayload(f"{key}: not a list that begins with its paging", source=SOURCE)
    paging = document[0]
    if "message" in paging:
        told = paging["message"]
        texts = [f"{m.get('key')}: {m.get('value')}" for m in told if isinstance(m, dict)] if told else []
        raise BadPayload(
            f"{key}: refused: {'; '.join(texts) or told}",
            source=SOURCE,
            todo="see whether the indicator was renamed or archived",
        )
    rows = document[1] if len(document) > 1 else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadPayload(f"{key}: no rows", source=SOURCE, todo="try again later")
    pages, total = (str(paging.get(name)) for name in ("pages", "total"))
    if pages != "1" or total != str(len(rows)):
        raise BadPayload(f"{key}: {len(rows)} rows of {total} on page 1 of {pages}", source=SOURCE)
    return rows


def _member(row: dict[str, Any], name: str, member: str) -> Any:
    inner = row.get(name)
    return inner.get(member) if isinstance(inner, dict) else None


def _printed(cell: Any) -> str | None:
    """A JSON value as printed in the payload; numbers are already text."""
    return cell if cell is None or isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
