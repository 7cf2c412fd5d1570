"""LBMA auction prices (gold, silver, platinum, palladium), the US dollar leg, one JSON per metal.

Licensed for personal use only (see the source's terms). Gold, platinum and palladium are afternoon auction prices;
there is no afternoon auction on 24 and 31 December.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "lbma"
URL = "https://prices.lbma.org.uk/json/"
USD_LEG = 0  # "v" has US dollars, pounds and euros, in this order

FIXES = Expect(
    starts_with=(b"[",),
    contains=(b'"d"', b'"v"'),
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per auction; each response has its whole history (about 1 MB)."""
    names = dict.fromkeys(str(series.select["file"]) for series in catalog.series_of(SOURCE))
    return [Request(key=name, url=f"{URL}{name}.json", expect=FIXES) for name in names]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """US dollars per troy ounce, one figure per auction day.

    A null or a 0 in the dollar leg means no auction price and counts as missing, whatever the other currencies have. A
    row without three legs is rejected.

    Raises BadPayload if the body is not a list of days, or belongs to a file of no catalogued series.
    """
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["file"] == key]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    try:
        days = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE, todo="try again later") from None
    if not isinstance(days, list) or not days or not all(isinstance(day, dict) and "d" in day for day in days):
        raise BadPayload(f"{key}: not a list of days", source=SOURCE, todo="try again later")

    table = pl.DataFrame(
        {
            "period_text": [day["d"] if isinstance(day["d"], str) else None for day in days],
            "text": [_dollars(day.get("v")) for day in days],
        },
        schema={"period_text": pl.String, "text": pl.String},
    ).select(
        "period_text",
        pl.col("period_text").str.to_date("%Y-%m-%d", strict=False).alias("period"),
        # The publisher uses 0 as well as null for a missing price.
        pl.when(pl.col("text").cast(pl.Float64, strict=False).ne_missing(0)).then("text").alias("text"),
        pl.lit(None, dtype=pl.Float64).alias("number"),
        pl.format("day {}", pl.col("period_text").fill_null("null")).alias("row"),
    )
    return _cells.read(pl.concat(table.with_columns(series_id=pl.lit(series.id)) for series in wanted))


def _dollars(legs: Any) -> str | None:
    if not isinstance(legs, list) or len(legs) != 3:
        return f"(legs {json.dumps(legs)})"
    leg = legs[USD_LEG]
    return leg if leg is None or isinstance(leg, str) else json.dumps(leg)
