"""USGS Mineral Commodity Summaries: the yearly data release on ScienceBase, one CSV for all commodities.

The item's JSON gives the file's URL, which contains a hash and changes with every correction; the CSV is fetched from
there. Layout of the 2026 edition (https://doi.org/10.5066/P1WKQ63T).
"""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, REJECT, Expect, Parsed, Request, _cells, _json

SOURCE = "usgs_mcs"
ITEM_URL = "https://www.sciencebase.gov/catalog/item/696a75d5d4be0228872d3bf8"
FILE_NAME = "MCS2026_Commodities_Data.csv"
KEY_PREFIX = "mcs2026/"
HOSTS = ("www.sciencebase.gov", "sciencebase.gov", "prod-is-usgs-sb-prod-publish.s3.amazonaws.com")

ITEM = Expect(starts_with=(b"{",))
CSV = Expect(
    starts_with=(b"MCS chapter,", b'"MCS chapter"'),
    contains=(b"Statistics_detail",),
)
COLUMNS = (
    "MCS chapter",
    "Section",
    "Commodity",
    "Country",
    "Statistics",
    "Statistics_detail",
    "Unit",
    "Year",
    "Value",
)

# Counted as missing, in addition to the markers common to all sources (W withheld, NA, XX, the dash for zero or none):
# E (net exporter, so there is no import reliance), s (less than half a unit), the words "Large" and "Very small",
# bounds (>50) and ranges (500-1,000).
NO_FIGURE = r"^(?:E|s|[<>].*|(?i:large|very small)|\d[\d,.]*\s*[–-]\s*\d[\d,.]*)$"


def plan(catalog: Catalog, today: date) -> list[Request]:
    """The item's description, then the data file that it names."""
    if not catalog.series_of(SOURCE):
        return []
    return [
        Request(
            key=f"{KEY_PREFIX}item", url=ITEM_URL, expect=ITEM, params=(("format", "json"),), land=False, then=_file_of
        )
    ]


def _file_of(body: bytes) -> list[Request]:
    try:
        document = _json.typed(body)
    except NOT_JSON as error:
        raise BadPayload(f"the item is not JSON: {error}", source=SOURCE) from None
    files: list[Any] = (document.get("files") if isinstance(document, dict) else None) or []
    for file in files:
        if isinstance(file, dict) and file.get("name") == FILE_NAME:
            address = str(file.get("downloadUri") or file.get("url") or "")
            parts = urlsplit(address)
            if parts.scheme != "https" or parts.hostname not in HOSTS:
                raise BadPayload(f"{FILE_NAME} is said to stand at '{address[:120]}'", source=SOURCE)
            return [Request(key=f"{KEY_PREFIX}{FILE_NAME}", url=address, expect=CSV)]
    raise BadPayload(
        f"the item lists no {FILE_NAME} among {len(files)} files",
        source=SOURCE,
        todo="see whether a new edition has another item, and name it in pipelines/sources/usgs_mcs.py",
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Yearly figures of the catalogued statistics in the unit of the table; `period` is 1 January of the year.

    A row belongs to a series if chapter, country, kind of table (world or US salient statistics) and statistic match
    and its commodity and detail contain all `words` of the series. A world total is read from its own row, not summed.
    A row in a unit other than the catalogued one is a reject, because editions have changed and mislabelled units.
    Marks of estimates are removed. A series without a matching row is one reject.

    Raises BadPayload for any other file, or if no row matches any catalogued series.
    """
    series = catalog.series_of(SOURCE)
    if key != f"{KEY_PREFIX}{FILE_NAME}" or not series:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    table = _table(body)
    frames, rejects = [], []
    for entry in series:
        rows = table.filter(_fits(entry))
        if rows.is_empty():
            rejects.append(_cells.rejected(entry.id, FILE_NAME, f"no row fits {dict(entry.select)}"))
        frames.append(rows.with_columns(series_id=pl.lit(entry.id), expected=pl.lit(str(entry.select["unit"]))))
    found = pl.concat(frames)
    if found.is_empty():
        raise BadPayload("no row fits any catalogued series", source=SOURCE, todo="compare the table's labels")
    wrong_unit = pl.col("unit") != pl.col("expected")
    rejects.append(
        found.filter(wrong_unit).select(
            "series_id", "row", pl.format("the unit is '{}', not '{}'", "unit", "expected").alias("reason")
        )
    )
    bare = pl.col("Value").str.strip_chars().str.replace(r"(?i)^e\s*(\d)", "${1}").str.replace(r"(?i)(\d)\s*e$", "${1}")
    parsed = _cells.read(
        found.filter(~wrong_unit).select(
            "series_id",
            pl.col("Year").alias("period_text"),
            (pl.col("Year").str.extract(r"^\s*(\d{4})\s*$") + "-01-01").str.to_date(strict=False).alias("period"),
            pl.when(bare.str.contains(NO_FIGURE)).then(None).otherwise(bare.str.replace_all(",", "")).alias("text"),
            pl.lit(None, dtype=pl.Float64).alias("number"),
            "row",
        )
    )
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*(r.select(REJECT.keys()) for r in rejects), parsed.rejects]),
        missing=parsed.missing,
    )


def _fits(series: Series) -> pl.Expr:
    select = series.select
    fits = (
        (pl.col("chapter") == str(select["chapter"]).lower())
        & (pl.col("country") == str(select["country"]).lower())
        & (pl.col("statistic") == str(select["statistic"]).lower())
        & pl.col("section").str.starts_with(str(select["table"]).lower())
    )
    for word in select["words"]:
        fits &= pl.col("said").str.contains(rf"\b{re.escape(str(word).lower())}\b")
    return fits


def _table(body: bytes) -> pl.DataFrame:
    """The release as text, with the columns that identify series in lower case."""
    if body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise BadPayload("an HTML page in place of a CSV", source=SOURCE, todo="try again later")
    # Encoded as windows-1252 (dashes and accents); bytes undefined there are replaced.
    text = body.removeprefix(b"\xef\xbb\xbf").decode("cp1252", "replace").encode()
    try:
        table = pl.read_csv(io.BytesIO(text), columns=list(COLUMNS), infer_schema=False)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise BadPayload(
            f"not the data release: {str(error).splitlines()[0]}",
            source=SOURCE,
            todo=f"compare the file's columns with {', '.join(COLUMNS)}",
        ) from None

    def plain(name: str) -> pl.Expr:
        return pl.col(name).fill_null("").str.strip_chars().str.to_lowercase()

    return table.with_row_index("line", offset=2).with_columns(
        chapter=plain("MCS chapter"),
        country=plain("Country"),
        statistic=plain("Statistics"),
        section=plain("Section"),
        unit=plain("Unit"),
        # The name of the group contains "platinum", so every row of its chapter would match.
        said=(plain("Commodity") + " | " + plain("Statistics_detail")).str.replace_all("platinum-group", "pgm"),
        row=pl.format("record {}", "line"),
    )
