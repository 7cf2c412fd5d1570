"""BLS public data API (v2, without a key): consumer and producer prices, unemployment, productivity.

Without a key the API allows 25 requests a day, each for 25 series and ten years. Hence one request per decade and batch
of series, and past decades are closed. A successful response reports omissions in messages (a range that is too long is
shortened to its first ten years), so the messages are read.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from typing import Any

import polars as pl

from pipelines import text
from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json
from pipelines.text import printable

log = text.logger("metals.sources")

SOURCE = "bls"
URL = "https://api.bls.gov/publicAPI/v2/timeseries/data/"
SERIES_PER_REQUEST = 25
YEARS_PER_REQUEST = 10
# Every January or February, the seasonally adjusted figures of the last five years are revised.
YEARS_UNDER_REVISION = 6

SUCCESS = "REQUEST_SUCCEEDED"
SHORTENED = re.compile(r"year range has been reduced", re.IGNORECASE)
NO_DATA = re.compile(r"no data available for series", re.IGNORECASE)  # a window reaches beyond a series' own years
UNKNOWN_SERIES = re.compile(r"(?:series does not exist|invalid series) for series\s+(?:id:?\s*)?(\S+)", re.IGNORECASE)

KEY = re.compile(r"timeseries/(\d{4})-(\d{4})/(?:running|\d{4}Q[1-4])/([0-9a-f]{8})")
# Averages of a year or half a year are among the periods of every series: M13, Q05, S01 to S03, A01.
AVERAGES = r"^(M13|Q05|S0[123]|A01)$"
PERIODS = {
    Frequency.MONTHLY: r"^M(0[1-9]|1[0-2])$",
    Frequency.QUARTERLY: r"^Q(0[1-4])$",
}
MONTHS_PER_PERIOD = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3}

ANSWER = Expect(starts_with=(b"{",), contains=(b'"status"',))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per decade and batch of series, from this decade back to the first year of the catalogued series.

    Newest first: otherwise, an earlier response without the newest periods would suggest that they were not out yet.

    Decades under revision are fetched in every run; the others are closed and fetched once per calendar quarter and
    batch. The key contains the quarter because a rebased index changes in all its decades, and the batch because a
    series that is added to the catalogue needs its past. That is at most 12 requests on the first day of a quarter, for
    a batch of series that begin in 1913, and one or two on any other day.
    """
    series = catalog.series_of(SOURCE)
    if not series:
        return []
    first = min(_since(one) for one in series)
    requests = []
    for decade in range(today.year // 10 * 10, first - first % 10 - 1, -YEARS_PER_REQUEST):
        reaching = [one for one in series if _since(one) < decade + YEARS_PER_REQUEST]
        requests += [_request(batch, decade, today) for batch in _batches(reaching)]
    return requests


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly and quarterly figures of one decade, as printed; `period` is the first day of the month or quarter.

    Averages over a year are skipped. A `-` is a missing value; so is a month that the catalogue lists under
    `never_published` and that the response omits. Rejects are: a series that the API does not know, and a series that
    the response to its batch lacks. Another message concerns no figure and is logged.

    Raises BadPayload for a status other than success, a shortened range, years outside the decade, a response without
    series, or a key that this module does not use.
    """
    match = KEY.fullmatch(key)
    if match is None:
        raise BadPayload(f"no request is made under '{key}'", source=SOURCE)
    first_year, last_year = int(match[1]), int(match[2])
    messages, results = _envelope(body)

    known = {str(series.select["id"]): series for series in catalog.series_of(SOURCE)}
    asked = next((batch for batch in _all_batches(catalog) if _digest(batch) == match[3]), [])
    rejects = _complaints(messages, known, key)
    complained = {row["series_id"] for frame in rejects for row in frame.iter_rows(named=True)}
    present = {str(result.get("seriesID")) for result in results}
    rejects += [
        _cells.rejected(series.id, key, f"{series.select['id']} was requested and is not in the response")
        for series in asked
        if str(series.select["id"]) not in present and series.id not in complained
    ]

    frames = [
        _series_cells(known[name], result["data"], first_year, last_year)
        for result in results
        if (name := str(result.get("seriesID"))) in known
    ]
    cells = pl.concat(frames) if frames else pl.DataFrame(schema=_cells.CELL)
    parsed = _cells.read(cells)
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _since(series: Series) -> int:
    return int(series.select["since"])


def _batches(series: list[Series]) -> list[list[Series]]:
    return [series[i : i + SERIES_PER_REQUEST] for i in range(0, len(series), SERIES_PER_REQUEST)]


def _all_batches(catalog: Catalog) -> list[list[Series]]:
    """Every batch of series that a request can contain: one per first year of a series."""
    series = catalog.series_of(SOURCE)
    ends = {_since(one) - _since(one) % 10 + YEARS_PER_REQUEST for one in series}
    return [batch for end in sorted(ends) for batch in _batches([one for one in series if _since(one) < end])]


def _digest(batch: list[Series]) -> str:
    return hashlib.sha256("\n".join(str(series.select["id"]) for series in batch).encode()).hexdigest()[:8]


def _request(batch: list[Series], decade: int, today: date) -> Request:
    end = decade + YEARS_PER_REQUEST - 1
    closed = end < today.year - YEARS_UNDER_REVISION
    edition = f"{today.year}Q{(today.month + 2) // 3}" if closed else "running"
    question = {
        "seriesid": [str(series.select["id"]) for series in batch],
        "startyear": str(max(decade, min(_since(series) for series in batch))),
        "endyear": str(min(end, today.year)),
    }
    return Request(
        key=f"timeseries/{decade}-{end}/{edition}/{_digest(batch)}",
        url=URL,
        expect=ANSWER,
        headers={"Content-Type": "application/json"},
        body=json.dumps(question).encode(),
        closed=closed,
        then=_refuse_failure,
    )


def _refuse_failure(body: bytes) -> list[Request]:
    """Check a response before it lands: a refusal has status 200, and a closed decade would never be fetched again."""
    _envelope(body)
    return []


def _envelope(body: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    """The messages of the response and its series, each with a list of rows; numbers are kept as printed."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"not JSON: {error}", source=SOURCE) from None
    if not isinstance(document, dict):
        raise BadPayload(f"a {type(document).__name__} instead of an object", source=SOURCE)
    told = document.get("message")
    messages = [str(message) for message in (told if isinstance(told, list) else [told]) if message]
    if document.get("status") != SUCCESS:
        raise BadPayload(
            f"status {document.get('status')}: {'; '.join(messages) or 'no message'}",
            source=SOURCE,
            kept="what landed before",
            todo="try again tomorrow: without a key the interface answers 25 requests a day",
        )
    if any(SHORTENED.search(message) for message in messages):
        raise BadPayload(
            f"the years asked for were shortened: {'; '.join(messages)}",
            source=SOURCE,
            kept="what landed before",
            todo="lower YEARS_PER_REQUEST in this module",
        )
    outcome = document.get("Results")
    outcome = outcome[0] if isinstance(outcome, list) and len(outcome) == 1 else outcome
    results = outcome.get("series") if isinstance(outcome, dict) else None
    if not isinstance(results, list) or not results:
        raise BadPayload("a success without series", source=SOURCE, todo="try again later")
    if not all(isinstance(r, dict) and _is_rows(r.get("data")) for r in results):
        raise BadPayload("a series without a list of rows", source=SOURCE)
    return messages, results


def _is_rows(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(row, dict) for row in data)


def _complaints(messages: list[str], known: dict[str, Series], key: str) -> list[pl.DataFrame]:
    """Rejects for series that the API does not know; other messages are logged, unless a series has no figures yet."""
    rejects = []
    for message in messages:
        if unknown := UNKNOWN_SERIES.search(message):
            series = known.get(unknown[1].rstrip(".,"))
            rejects.append(_cells.rejected(series.id if series else None, key, f"BLS says: {message}"))
        elif not NO_DATA.search(message):
            log.warning("%s %s: BLS says: %s", SOURCE, key, printable(message))
    return rejects


def _series_cells(series: Series, rows: list[dict[str, Any]], first_year: int, last_year: int) -> pl.DataFrame:
    printed = pl.DataFrame(
        {name: [_text(row.get(name)) for row in rows] for name in ("year", "period", "value")},
        schema={"year": pl.String, "period": pl.String, "value": pl.String},
    ).filter(pl.col("period").str.contains(AVERAGES).fill_null(False).not_())
    year = pl.col("year").str.extract(r"^(\d{4})$").cast(pl.Int32)
    outside = printed.filter(~year.is_between(first_year, last_year))
    if not outside.is_empty():
        raise BadPayload(
            f"a row of {outside['year'][0]} in the answer for {first_year} to {last_year}",
            source=SOURCE,
            series=series.id,
        )
    number = pl.col("period").str.extract(PERIODS[series.frequency]).cast(pl.Int32)
    cells = printed.with_columns(
        period_text=pl.format("{} {}", pl.col("year").fill_null("no year"), pl.col("period").fill_null("no period")),
        start=pl.date(year, (number - 1) * MONTHS_PER_PERIOD[series.frequency] + 1, 1),
    ).select(
        pl.lit(series.id).alias("series_id"),
        "period_text",
        pl.col("start").alias("period"),
        pl.col("value").alias("text"),
        pl.lit(None, dtype=pl.Float64).alias("number"),
        pl.format("{} at {}", pl.lit(str(series.select["id"])), "period_text").alias("row"),
    )
    return pl.concat([cells, _holes(series, cells)])


def _holes(series: Series, cells: pl.DataFrame) -> pl.DataFrame:
    """Empty cells for months that were never published, if they are absent between months that are present."""
    periods = set(cells["period"].drop_nulls())
    holes = [date.fromisoformat(f"{month}-01") for month in series.select.get("never_published", ())]
    silent = [hole for hole in holes if periods and min(periods) < hole < max(periods) and hole not in periods]
    return pl.DataFrame(
        [(series.id, f"{hole:%Y-%m}", hole, None, None, f"never published: {hole:%Y-%m}") for hole in silent],
        schema=_cells.CELL,
        orient="row",
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
