"""Ember's monthly electricity file: generation by country and source, one CSV for the whole world.

The file mixes countries with regions, and single energy sources with their sums; rows are selected by ISO code and
source, so that nothing is counted twice. Columns follow the file's description at https://ember-energy.org/data/.
"""

from __future__ import annotations

import io
from datetime import date

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells

SOURCE = "ember"
# The earlier URL (monthly_full_release_long_format.csv) has served an outdated file with status 200 since July 2026.
URL = "https://files.ember-energy.org/public-downloads/generation/outputs/release_generation_monthly_global.csv"
KEY = "release_generation_monthly_global"

ISO, DATE, SOURCE_NAME, AREA_TYPE = "ISO 3 code", "Date", "Electricity source", "Area type"
AGGREGATED, GENERATION = "Is aggregated source", "Generation (TWh)"
COLUMNS = (ISO, DATE, AREA_TYPE, SOURCE_NAME, AGGREGATED, GENERATION)
COUNTRY = "country"  # "Country or economy" since 2026, "Country" before; regions are the rest
TOTAL = "Total generation"  # the one sum that is read, as the denominator of a share

CSV = Expect(
    starts_with=(b"Area,", b'"Area"'),
    contains=(DATE.encode(), SOURCE_NAME.encode(), GENERATION.encode()),
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request: a single file has all series."""
    return [Request(key=KEY, url=URL, expect=CSV)] if catalog.series_of(SOURCE) else []


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly generation in terawatt-hours of the catalogued countries and sources.

    `period` is the first day of the month; dates are printed as 2026-07-01 or (in June 2026) 01/07/2026. A series
    without any row is one reject.

    Raises BadPayload for any other file, or if no catalogued series has a row.
    """
    wanted = pl.DataFrame(
        [(s.id, str(s.select["iso"]), str(s.select["source"])) for s in catalog.series_of(SOURCE)],
        schema={"series_id": pl.String, ISO: pl.String, SOURCE_NAME: pl.String},
        orient="row",
    )
    if key != KEY or wanted.is_empty():
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    table = _table(body)
    # Single sources are never read from an aggregated row, even if a name is used for both.
    country = pl.col(AREA_TYPE).str.to_lowercase().str.starts_with(COUNTRY)
    single = pl.col(AGGREGATED).str.to_lowercase() == "false"
    rows = table.filter(country & (single | (pl.col(SOURCE_NAME) == TOTAL))).join(
        wanted, on=[ISO, SOURCE_NAME], how="inner", maintain_order="left"
    )
    if rows.is_empty():
        raise BadPayload("none of the catalogued countries and sources has a row", source=SOURCE)
    printed = pl.col(DATE).str.strip_chars()
    parsed = _cells.read(
        rows.select(
            "series_id",
            pl.col(DATE).alias("period_text"),
            pl.coalesce(
                printed.str.extract(r"^(\d{4}-\d{2}-01)$").str.to_date("%Y-%m-%d", strict=False),
                printed.str.extract(r"^(01/\d{2}/\d{4})$").str.to_date("%d/%m/%Y", strict=False),
            ).alias("period"),
            pl.col(GENERATION).alias("text"),
            pl.lit(None, dtype=pl.Float64).alias("number"),
            pl.format("line {}", "line").alias("row"),
        )
    )
    absent = wanted.join(rows, on="series_id", how="anti").select(
        "series_id",
        row=pl.lit(KEY),
        reason=pl.format("no row for {} of {}", SOURCE_NAME, ISO),
    )
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([absent.select(pl.col(n).cast(t) for n, t in REJECT.items()), parsed.rejects]),
        missing=parsed.missing,
    )


def _table(body: bytes) -> pl.DataFrame:
    """The columns that are read, all text, with the number of each line (the header is line 1)."""
    if body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise BadPayload("an HTML page in place of a CSV", source=SOURCE, todo="try again later")
    try:
        table = pl.read_csv(io.BytesIO(body), columns=list(COLUMNS), infer_schema=False)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise BadPayload(
            f"not the monthly file: {str(error).splitlines()[0]}",
            source=SOURCE,
            todo=f"open {URL} and compare its columns with {', '.join(COLUMNS)}",
        ) from None
    _cells.refuse_cut(body, SOURCE)
    return table.with_row_index("line", offset=2)
