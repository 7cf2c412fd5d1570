"""CFTC Commitments of Traders, disaggregated, futures only, from the commission's open-data interface (Socrata).

The legacy report, which counts non-commercial positions, has its own module (cftc_legacy).
"""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "cftc"
URL = "https://publicreporting.cftc.gov/resource/72hh-3qpy.json"
KEY_PREFIX = "disaggregated/"
PAGE_MARK = "/page"
PAGE_SIZE = 5000  # without `$limit`, a response is silently limited to 1,000 rows
CODE, AS_OF = "cftc_contract_market_code", "report_date_as_yyyy_mm_dd"

ROWS = Expect(
    starts_with=(b"[",),
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per contract code, and a further page while a page is full."""
    codes = dict.fromkeys(str(series.select["code"]) for series in catalog.series_of(SOURCE))
    return [_request(catalog, code, page=1) for code in codes]


def _request(catalog: Catalog, code: str, page: int) -> Request:
    def further(body: bytes) -> list[Request]:
        return [_request(catalog, code, page + 1)] if len(_rows(body, code)) == PAGE_SIZE else []

    fields = dict.fromkeys(str(s.select["field"]) for s in catalog.series_of(SOURCE) if s.select["code"] == code)
    return Request(
        key=f"{KEY_PREFIX}{code}" if page == 1 else f"{KEY_PREFIX}{code}{PAGE_MARK}{page}",
        url=URL,
        expect=ROWS,
        params=(
            ("$select", ",".join((CODE, AS_OF, *fields))),
            ("$where", f"{CODE}='{code}'"),
            # Paging is only consistent with an explicit order.
            ("$order", f"{AS_OF} DESC"),
            ("$limit", str(PAGE_SIZE)),
            ("$offset", str((page - 1) * PAGE_SIZE)),
        ),
        then=further,
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Positions of one contract in contracts; `period` is the as-of day, at whose end the positions are counted.

    All values are text. A field that is absent from a row is a missing value; a field that is absent from every row is
    a reject for its series alone. A row of another contract is rejected.

    Raises BadPayload if the body is an error or an empty list (the response to an unknown code, too).
    """
    code, _, page = key.removeprefix(KEY_PREFIX).partition(PAGE_MARK)
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["code"] == code]
    if not key.startswith(KEY_PREFIX) or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    rows = _rows(body, code)
    if not rows:
        if page:
            return Parsed()  # the previous page was exactly full
        raise BadPayload(f"contract {code}: no rows", source=SOURCE, todo="see whether the code is still in use")

    days = [row.get(AS_OF) for row in rows]
    rejects = [
        _cells.rejected(None, f"{code} at {day}", f"is of contract {row.get(CODE)!r}")
        for row, day in zip(rows, days, strict=True)
        if row.get(CODE) != code
    ]
    frames = []
    for series in wanted:
        field = str(series.select["field"])
        if not any(field in row for row in rows):
            rejects.append(_cells.rejected(series.id, key, f"no row has the field {field}"))
            continue
        kept = [(day, row.get(field)) for row, day in zip(rows, days, strict=True) if row.get(CODE) == code]
        day_text = pl.col("period_text").str.extract(r"^(\d{4}-\d{2}-\d{2})(?:T00:00:00(?:\.0+)?)?$")
        frames.append(
            pl.DataFrame(kept, schema={"period_text": pl.String, "text": pl.String}, orient="row").select(
                pl.lit(series.id).alias("series_id"),
                "period_text",
                day_text.str.to_date("%Y-%m-%d", strict=False).alias("period"),
                "text",
                pl.lit(None, dtype=pl.Float64).alias("number"),
                pl.format(f"{code} {field} at {{}}", pl.col("period_text").fill_null("null")).alias("row"),
            )
        )
    if not frames:
        raise BadPayload(f"contract {code}: none of the catalogued fields is there", source=SOURCE)
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _rows(body: bytes, code: str) -> list[dict[str, str]]:
    """Rows of a page, every value as text."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"contract {code}: not JSON: {error}", source=SOURCE, todo="try again later") from None
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        told = document.get("message") if isinstance(document, dict) else None
        raise BadPayload(f"contract {code}: no list of rows: {told or 'no message'}", source=SOURCE)
    return [
        {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in row.items()
            if value is not None
        }
        for row in document
    ]
