"""Our World in Data's energy file: yearly electricity by country and source, one wide CSV (fallback of Ember)."""

from __future__ import annotations

import io
from datetime import date

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells

SOURCE = "owid_energy"
URL = "https://owid-public.owid.io/data/energy/owid-energy-data.csv"
KEY = "owid-energy-data"
ISO, YEAR = "iso_code", "year"

CSV = Expect(
    starts_with=(b"country,", b'"country"'),
    contains=(b"iso_code", b"year"),
)


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request: a single file has all series."""
    return [Request(key=KEY, url=URL, expect=CSV)] if catalog.series_of(SOURCE) else []


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Yearly figures of the catalogued countries and columns, as printed; `period` is 1 January of the year.

    Countries are selected by ISO code: aggregates such as World or Asia have none, or one of OWID's own. A missing
    column is one reject, for its series alone, and so is a country without a row.

    Raises BadPayload for any other file, or if none of the catalogued columns is in it.
    """
    series = catalog.series_of(SOURCE)
    if key != KEY or not series:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    if body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise BadPayload("an HTML page in place of a CSV", source=SOURCE, todo="try again later")
    header = body[: body.find(b"\n") + 1].decode("utf-8-sig", "replace").strip().replace('"', "").split(",")
    columns = dict.fromkeys(str(s.select["column"]) for s in series)
    there = [name for name in columns if name in header]
    if ISO not in header or YEAR not in header or not there:
        raise BadPayload(
            f"the header lacks {ISO}, {YEAR} or all of {', '.join(columns)}",
            source=SOURCE,
            todo="see the codebook beside the file",
        )
    try:
        table = pl.read_csv(io.BytesIO(body), columns=[ISO, YEAR, *there], infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise BadPayload(f"not readable as CSV: {str(error).splitlines()[0]}", source=SOURCE) from None
    _cells.refuse_cut(body, SOURCE)
    table = table.with_row_index("line", offset=2)

    frames, rejects = [], []
    for entry in series:
        column, iso = str(entry.select["column"]), str(entry.select["iso"])
        rows = table.filter(pl.col(ISO) == iso)
        if column not in there or rows.is_empty():
            what = f"no column {column}" if column not in there else f"no row of {iso}"
            rejects.append(_cells.rejected(entry.id, KEY, what))
            continue
        frames.append(
            rows.select(
                pl.lit(entry.id).alias("series_id"),
                pl.col(YEAR).alias("period_text"),
                (pl.col(YEAR).str.extract(r"^(\d{4})$") + "-01-01").str.to_date(strict=False).alias("period"),
                pl.col(column).alias("text"),
                pl.lit(None, dtype=pl.Float64).alias("number"),
                pl.format("line {}", "line").alias("row"),
            )
        )
    if not frames:
        raise BadPayload("none of the catalogued countries has a row", source=SOURCE)
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([pl.DataFrame(schema=REJECT), *rejects, parsed.rejects]),
        missing=parsed.missing,
    )
