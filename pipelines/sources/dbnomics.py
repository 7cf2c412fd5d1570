"""DBnomics: series of China's National Bureau of Statistics, one JSON response each.

A mirror that lags the office by months and still serves discontinued series: staleness is judged by the periods, not by
the response. January's output is not published separately, and it is not estimated here.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation, Overflow
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, REJECT, Expect, Parsed, Request, _cells, _json

SOURCE = "dbnomics"
SERIES_URL = "https://api.db.nomics.world/v22/series"

ANSWER = Expect(starts_with=(b"{",))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per series; its identifier (provider/dataset/series) is the key."""
    identifiers = dict.fromkeys(str(series.select["id"]) for series in catalog.series_of(SOURCE))
    return [
        Request(key=identifier, url=f"{SERIES_URL}/{identifier}", expect=ANSWER, params=(("observations", "1"),))
        for identifier in identifiers
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly figures in the unit of each series; `period` is the first day of the month. "NA" is missing.

    `select.subtract` (for an index with the same month of last year at 100) is subtracted in decimal arithmetic, which
    keeps the printed digits. With `select.months_alone`, a February without a January is rejected: the office publishes
    the two together, and the figure may be their sum.

    Raises BadPayload if the body is not JSON, has another series, several or none, is not monthly, or has different
    numbers of periods and values, and for a key of no catalogued series.
    """
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["id"] == key]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    document = _document(body, key)
    periods, values = document.get("period"), document.get("value")
    if not isinstance(periods, list) or not isinstance(values, list) or len(periods) != len(values) or not periods:
        counts = [len(found) if isinstance(found, list) else None for found in (periods, values)]
        raise BadPayload(f"{key}: {counts[0]} periods and {counts[1]} values", source=SOURCE)

    frames, rejects = [], []
    for series in wanted:
        cells = _series_cells(series, periods, values)
        if series.select.get("months_alone"):
            cells, together = _without_joined_february(cells)
            rejects.append(together)
        frames.append(cells)
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(frame.select(REJECT.keys()) for frame in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def _document(body: bytes, key: str) -> dict[str, Any]:
    """The single series of the response, with its numbers as printed text."""
    try:
        answer = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE) from None
    found = answer.get("series") if isinstance(answer, dict) else None
    documents = found.get("docs") if isinstance(found, dict) else None
    if not isinstance(documents, list) or len(documents) != 1 or not isinstance(documents[0], dict):
        told = answer.get("message") if isinstance(answer, dict) else None
        count = len(documents) if isinstance(documents, list) else 0
        raise BadPayload(
            f"{key}: {count} series in place of one: {told or 'no message'}",
            source=SOURCE,
            todo="look the code up at https://db.nomics.world/NBS",
        )
    (document,) = documents
    identity = "/".join(str(document.get(name)) for name in ("provider_code", "dataset_code", "series_code"))
    if identity != key:
        raise BadPayload(f"{key}: the answer is {identity}", source=SOURCE)
    if document.get("@frequency") != "monthly":
        raise BadPayload(f"{key}: frequency '{document.get('@frequency')}', not monthly", source=SOURCE)
    return document


def _series_cells(series: Series, periods: list[Any], values: list[Any]) -> pl.DataFrame:
    offset = series.select.get("subtract")
    texts = [_printed(value) for value in values]
    if offset is not None:
        texts = [_less(text, Decimal(str(offset))) for text in texts]
    return pl.DataFrame(
        {"period_text": [_printed(period) for period in periods], "text": texts},
        schema={"period_text": pl.String, "text": pl.String},
    ).select(
        pl.lit(series.id).alias("series_id"),
        "period_text",
        pl.when(pl.col("period_text").str.contains(r"^\d{4}-\d{2}$"))
        .then(pl.format("{}-01", "period_text").str.to_date("%Y-%m-%d", strict=False))
        .alias("period"),
        "text",
        pl.lit(None, dtype=pl.Float64).alias("number"),
        pl.format("period {}", pl.col("period_text").fill_null("null")).alias("row"),
    )


def _printed(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def _less(text: str | None, offset: Decimal) -> str | None:
    """The printed number less `offset`; anything else is returned unchanged, to be rejected with the cells."""
    try:
        number = Decimal(text or "")
        return format(number - offset, "f") if number.is_finite() else text
    except (InvalidOperation, Overflow):  # Overflow: more digits than Decimal can count
        return text


def _without_joined_february(cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    figures = cells.filter(pl.col("text").cast(pl.Float64, strict=False).is_not_null())
    januaries = figures.filter(pl.col("period").dt.month() == 1).get_column("period").dt.year()
    alone = (pl.col("period").dt.month() == 2) & ~pl.col("period").dt.year().is_in(januaries.implode())
    joined = (alone & pl.col("text").cast(pl.Float64, strict=False).is_not_null()).fill_null(False)
    return cells.filter(~joined), cells.filter(joined).select(
        "series_id",
        "row",
        pl.lit("February without January: the figure may be that of both months").alias("reason"),
    )
