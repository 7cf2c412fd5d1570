"""Releases of the US Harmonized Tariff Schedule, as listed by the International Trade Commission.

A release is a version of the printed schedule. Its start date is not a legal date: a duty applies from the day in its
proclamation or order, which may be days before or after the release that prints it (docs/policy_events.md). So the list
shows that the schedule changed, and policy_events which duties applied.

`currentRelease` of the same API repeats the line of the list with status `current`, so it is not requested.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, REJECT, TARIFF_RELEASE, Expect, Parsed, Request, _json

SOURCE = "usitc_hts"
URL = "https://hts.usitc.gov/reststop/releaseList"
KEY = "releases"
FIELDS = {"name": "release_id", "title": "title", "status": "status", "releaseStartDate": "start_text"}

LIST = Expect(starts_with=(b"[",), contains=(b'"releaseStartDate"',))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request for the whole list, which is short."""
    return [Request(key=KEY, url=URL, expect=LIST)]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Releases (columns of TARIFF_RELEASE). An empty start date is null.

    Names repeat among the releases before 2018 ("basicCorrections2"): those carry their first day, as in
    "basicCorrections2 of 2016-07-01". A line without a name or a status, with a date that is not printed as
    month/day/year, or with the name and day of another line is a reject; a line that is repeated whole counts once.

    Raises BadPayload for anything but a list of lines, or if a field is absent from all lines.
    """
    try:
        lines = _json.typed(body)
    except NOT_JSON as error:
        raise BadPayload(f"not JSON: {error}", source=SOURCE, row=key) from None
    if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
        raise BadPayload("not a list of releases", source=SOURCE, row=key)
    gone = [name for name in FIELDS if not any(name in line for line in lines)]
    if gone:
        raise BadPayload(
            f"no line has {', '.join(gone)}",
            source=SOURCE,
            row=key,
            todo="see whether the interface changed its fields",
        )
    text = {new: [_text(line.get(old)) for line in lines] for old, new in FIELDS.items()}
    frame = (
        pl.DataFrame(text, schema=dict.fromkeys(text, pl.String))
        .with_row_index("line", offset=1)
        .unique(list(text), keep="first", maintain_order=True)
        .with_columns(
            release_start_date=pl.col("start_text").str.to_date("%m/%d/%Y", strict=False, exact=True),
            row=pl.format("line {} ({})", "line", pl.col("release_id").fill_null("no name")),
        )
        .with_columns(
            release_id=pl.when(pl.len().over("release_id") > 1)
            .then(pl.concat_str("release_id", pl.col("release_start_date").dt.to_string("%Y-%m-%d"), separator=" of "))
            .otherwise("release_id"),
            unnamed=pl.col("release_id").is_null(),
        )
        .with_columns(
            reason=pl.when("unnamed")
            .then(pl.lit("'name' is missing"))
            .when(pl.col("status").is_null())
            .then(pl.lit("'status' is missing"))
            .when(pl.col("start_text").is_not_null() & pl.col("release_start_date").is_null())
            .then(pl.format("'releaseStartDate' is not printed as month/day/year: {}", "start_text"))
            .when(pl.col("release_id").is_null() | (pl.len().over("release_id") > 1))
            .then(pl.lit("its name and first day are in the list more than once"))
        )
    )
    return Parsed(
        tariff_releases=frame.filter(pl.col("reason").is_null()).select(
            pl.col(name).cast(dtype) for name, dtype in TARIFF_RELEASE.items()
        ),
        rejects=frame.filter(pl.col("reason").is_not_null())
        .select(pl.lit(SOURCE).alias("series_id"), "row", "reason")
        .select(*REJECT),
    )


def _text(cell: object) -> str | None:
    """A cell as text; null if empty."""
    return str(cell).strip() or None if cell is not None else None
