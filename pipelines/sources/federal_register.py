"""Federal Register documents (API v1): one request per topic and window of publication dates.

Here: the search requests, and their results as rows of `POLICY_DOCUMENT`. Not here: what a document means for a metal,
which is in the curated table `policy_events`.

The service never refuses a search that it does not understand. It ignores conditions outside `conditions[...]` and
returns the whole corpus; `per_page` above its maximum becomes 20; a page beyond 10,000 rows becomes page 1; counts stop
at 10,000. Hence: one page of 1,000 per request, windows that are halved until they fit, and a response is accepted only
if its description repeats the search.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Topic
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, POLICY_DOCUMENT, Expect, Parsed, Request, _json

SOURCE = "federal_register"
URL = "https://www.federalregister.gov/api/v1/documents.json"
PER_PAGE = 1000  # the documented maximum; larger values silently become 20
UNFILTERED_COUNT = 10_000  # the service stops counting here; only the unfiltered corpus is that large
CLOSED_AFTER_DAYS = 30  # late indexing and corrections take days; a month is a safe margin
FIELDS = (
    "document_number",
    "type",
    "subtype",
    "title",
    "agencies",
    "publication_date",
    "signing_date",
    "effective_on",
    "citation",
    "executive_order_number",
    "proclamation_number",
    "html_url",
)
_REQUIRED = ("document_number", "title", "publication_date")
_DATES = ("publication_date", "signing_date", "effective_on")
_KEY = re.compile(r"documents/([a-z][a-z0-9_]*)/(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})(?:/running)?")

Window = tuple[date, date]  # first and last publication date, inclusive


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per topic and past year, and per quarter of this year, since the topic's first day.

    A window that ended more than `CLOSED_AFTER_DAYS` ago is closed and not fetched again once landed, which leaves one
    or two requests per topic and day. Until then it has a separate key, so that a response from within the window is
    never taken for the final one.
    """
    return [
        _request(topic, window, today) for topic in catalog.topics_of(SOURCE) for window in _windows(topic.since, today)
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Documents of one landed search, columns of `POLICY_DOCUMENT`.

    A field that is absent or null is null. A window that did not fit on one page gives no rows: they come with its
    halves, which are requested next. Raises BadPayload if the response does not belong to the search of `key` (not a
    JSON object, conditions ignored, rows that do not match the count, a duplicate document).
    """
    topic, window = _named_by(key, catalog)
    answer = _answer(body, topic, window)
    if _saturated(answer):
        _halves(topic, window)  # a single day cannot be halved
        return Parsed()
    results = _results(answer, topic, window)
    if not results:
        return Parsed()

    raw = pl.DataFrame(
        {
            "topic": [topic.id] * len(results),
            "row": [f"results[{position}]" for position in range(len(results))],
            **{name: [_text(result.get(name)) for result in results] for name in FIELDS if name != "agencies"},
            "agencies": [_agencies(result.get("agencies")) for result in results],
        },
        schema=dict.fromkeys(("topic", "row", *FIELDS), pl.String),
    )
    dated = raw.with_columns(pl.col(name).str.to_date("%Y-%m-%d", strict=False) for name in _DATES)
    problems = [
        *(pl.when(raw[name].is_null()).then(pl.lit(f"{name} is missing")) for name in _REQUIRED),
        *(
            pl.when(raw[name].is_not_null() & dated[name].is_null()).then(
                pl.format(f"{name} is not a date: {{}}", raw[name])
            )
            for name in _DATES
        ),
    ]
    marked = dated.with_columns(pl.concat_str(problems, separator="; ", ignore_nulls=True).alias("reason"))
    readable = pl.col("reason") == ""
    return Parsed(
        policy_documents=marked.filter(readable).select(*POLICY_DOCUMENT),
        rejects=marked.filter(~readable).select(pl.col("topic").alias("series_id"), "row", "reason"),
    )


def _request(topic: Topic, window: Window, today: date) -> Request:
    first, last = window
    closed = last < today - timedelta(days=CLOSED_AFTER_DAYS)
    return Request(
        key=f"documents/{topic.id}/{first}..{last}" + ("" if closed else "/running"),
        url=URL,
        params=(
            *_conditions(topic.conditions),
            ("conditions[publication_date][gte]", first.isoformat()),
            ("conditions[publication_date][lte]", last.isoformat()),
            *(("fields[]", name) for name in FIELDS),
            ("order", "oldest"),
            ("per_page", str(PER_PAGE)),
        ),
        expect=Expect(starts_with=(b"{",), contains=(b'"count"', b'"description"')),
        closed=closed,
        then=partial(_split, topic, window, today),
    )


def _conditions(conditions: Mapping[str, str | list[str]]) -> list[tuple[str, str]]:
    """Search conditions in the only form that the service reads: `conditions[...]`, lists with trailing brackets."""
    pairs = []
    for name, value in conditions.items():
        if isinstance(value, str):
            pairs.append((f"conditions[{name}]", value))
        else:
            pairs += [(f"conditions[{name}][]", one) for one in value]
    return pairs


def _windows(since: date, today: date) -> list[Window]:
    """Whole years up to last year, then the quarters of this year, which keeps the number of requests small."""
    windows = []
    first = since
    while first <= today:
        if first.year < today.year:
            following = date(first.year + 1, 1, 1)
        else:
            next_month = 3 * ((first.month - 1) // 3) + 4
            following = date(first.year + next_month // 13, (next_month - 1) % 12 + 1, 1)
        windows.append((first, following - timedelta(days=1)))
        first = following
    return windows


def _split(topic: Topic, window: Window, today: date, body: bytes) -> list[Request]:
    """The two halves of a window whose results do not fit on one page; empty for one that fits."""
    if not _saturated(_answer(body, topic, window)):
        return []
    return [_request(topic, half, today) for half in _halves(topic, window)]


def _halves(topic: Topic, window: Window) -> tuple[Window, Window]:
    first, last = window
    if first == last:
        raise BadPayload(
            f"{PER_PAGE} or more documents on the single day {first}: the search cannot be split further",
            source=SOURCE,
            series=topic.id,
            kept="what landed before",
            todo="make the topic's conditions in topics.yaml narrower",
        )
    middle = first + (last - first) // 2
    return (first, middle), (middle + timedelta(days=1), last)


def _named_by(key: str, catalog: Catalog) -> tuple[Topic, Window]:
    match = _KEY.fullmatch(key)
    if match is None or match[1] not in catalog.topics:
        raise BadPayload(f"no topic of the catalogue is asked for under '{key}'", source=SOURCE)
    return catalog.topics[match[1]], (date.fromisoformat(match[2]), date.fromisoformat(match[3]))


def _answer(body: bytes, topic: Topic, window: Window) -> dict[str, Any]:
    """The response as an object, after checking that it belongs to this search."""
    try:
        answer = _json.typed(body)
    except NOT_JSON as error:
        raise BadPayload(f"not readable as JSON: {error}", source=SOURCE, series=topic.id) from None
    if not isinstance(answer, dict):
        raise BadPayload(f"a {type(answer).__name__} instead of an object", source=SOURCE, series=topic.id)
    if answer.get("errors"):
        raise BadPayload(f"the search was refused: {answer['errors']}", source=SOURCE, series=topic.id)
    count, description = answer.get("count"), answer.get("description")
    pages = answer.get("total_pages")
    if not isinstance(count, int) or not isinstance(description, str) or not isinstance(pages, int | None):
        raise BadPayload("no count, number of pages and description", source=SOURCE, series=topic.id)
    unmentioned = [words for words in _asked(topic, window) if not _words(words) <= _words(description)]
    if count >= UNFILTERED_COUNT or unmentioned:
        raise BadPayload(
            f"conditions were ignored: {count} documents described as '{description}'"
            + (f", without {unmentioned}" if unmentioned else ""),
            source=SOURCE,
            series=topic.id,
            kept="what landed before",
            todo="compare the request with the publisher's documentation of conditions",
        )
    return answer


def _asked(topic: Topic, window: Window) -> list[str]:
    """Words that the response's description must repeat: search terms, agencies and the window as MM/DD/YYYY.

    Other conditions are described by labels that differ from their codes, so they are not compared.
    """
    asked = [f"published {day:%m/%d/%Y}" for day in window]
    for name, value in topic.conditions.items():
        if name in ("term", "agencies"):
            asked += [value] if isinstance(value, str) else value
    return asked


def _words(text: str) -> set[str]:
    """Words of a text, including dates; slugs are split at hyphens, quotes and operators are dropped."""
    return set(re.findall(r"[a-z0-9/]+", text.lower()))


def _saturated(answer: Mapping[str, Any]) -> bool:
    return bool(answer["count"] >= PER_PAGE or (answer.get("total_pages") or 0) > 1)


def _results(answer: Mapping[str, Any], topic: Topic, window: Window) -> list[dict[str, Any]]:
    results, count = answer.get("results"), answer["count"]
    if results is None and count == 0:  # the service omits the list from an empty response
        return []
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise BadPayload("no list of results", source=SOURCE, series=topic.id)
    numbers = [str(result["document_number"]) for result in results if result.get("document_number")]
    if len(results) != count or len(set(numbers)) != len(numbers):
        raise BadPayload(
            f"{count} documents announced, {len(results)} sent, {len(set(numbers))} of them different",
            source=SOURCE,
            series=topic.id,
            row=f"{window[0]}..{window[1]}",
        )
    return results


def _text(value: object) -> str | None:
    """A cell as text: numbers may be quoted or not, and an empty string counts as null."""
    return None if value is None or value == "" else str(value)


def _agencies(value: object) -> str | None:
    """Slugs joined by '; '. An office that is not in the publisher's list of agencies appears with its printed name."""
    if not isinstance(value, list):
        return _text(value)
    names = [
        str(agency.get("slug") or agency.get("name") or agency.get("raw_name") or "")
        if isinstance(agency, dict)
        else str(agency)
        for agency in value
    ]
    return "; ".join(name for name in names if name) or None
