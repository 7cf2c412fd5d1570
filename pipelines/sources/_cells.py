"""From printed cells to observations, for every publisher whose payload is a table of figures.

Missing-value markers are counted, cells that are not numbers become rejects, and the precision of a figure is inferred
from its neighbours. Code for a single publisher does not belong here.
"""

from __future__ import annotations

import polars as pl

from pipelines.errors import BadPayload
from pipelines.sources import MISSING_MARKERS, OBSERVATION, REJECT, Parsed

CELL = {
    "series_id": pl.String,
    "period_text": pl.String,  # as printed, for messages
    "period": pl.Date,  # null if `period_text` is not a period of the series' frequency
    "text": pl.String,  # as printed; null for an empty cell
    "number": pl.Float64,  # the binary number if the format stores one, else null
    "row": pl.String,
}


def decimals_of(text: pl.Expr) -> pl.Expr:
    """Digits after the point in a column of printed numbers: `printed_decimals` for whole columns."""
    lower = text.str.strip_chars().str.to_lowercase()
    digits = lower.str.extract(r"\.(\d*)").str.len_chars().fill_null(0).cast(pl.Int32)
    exponent = lower.str.extract(r"e([+-]?\d+)$").cast(pl.Int32, strict=False).fill_null(0)
    return (digits - exponent).clip(0, 99).cast(pl.Int16)


def read(cells: pl.DataFrame) -> Parsed:
    """Observations, rejects and missing counts of `cells` (columns as in CELL, one row per cell of the payload).

    A cell's own digits understate its precision where the format drops trailing zeros (spreadsheets, JSON, and FRED's
    CSV: 102.2 may be 102.2000), and an understated precision would hide a real revision. So `decimals` is the largest
    number of digits printed in the same series within twelve months on either side.

    All figures of a period that occurs more than once in a series are rejected, because none can be preferred.
    """
    text = pl.col("text").str.strip_chars()
    judged = (
        cells.select(pl.col(name).cast(dtype) for name, dtype in CELL.items())
        .with_columns(
            missing=pl.col("number").is_null() & (text.is_null() | text.is_in(list(MISSING_MARKERS))),
            value=pl.coalesce("number", text.cast(pl.Float64, strict=False)),
            repeated=pl.struct("series_id", "period").is_duplicated(),
        )
        .with_columns(
            broken=pl.col("period").is_null()
            | pl.col("repeated")
            | (~pl.col("missing") & ~pl.col("value").is_finite().fill_null(False))
        )
    )
    # Reasons are formatted only for rejected cells, which are rare.
    broken = judged.filter("broken").with_columns(
        reason=pl.when(pl.col("period").is_null())
        .then(pl.format("not a period of this series: '{}'", pl.col("period_text").fill_null("")))
        .when(pl.col("repeated"))
        .then(pl.format("period {} is in the payload more than once", pl.col("period_text")))
        .otherwise(pl.format("not a number: '{}'", pl.col("text").fill_null("")))
    )
    good = judged.filter(~pl.col("broken"))
    missing = good.filter("missing").group_by("series_id").len().sort("series_id")
    observations = (
        good.filter(~pl.col("missing"))
        .select("series_id", "period", "value", "row", decimals=decimals_of(pl.col("text")))
        .pipe(_precision_from_neighbours)
    )
    return Parsed(
        observations=observations.select(pl.col(name).cast(dtype) for name, dtype in OBSERVATION.items()),
        rejects=broken.select(REJECT.keys()),
        missing=dict(missing.iter_rows()),
    )


def refuse_cut(body: bytes, source: str, series: str | None = None) -> None:
    """Raise BadPayload for a CSV whose last line has no line end: its last figure may be truncated to another one."""
    if not body.endswith((b"\n", b"\r")):
        raise BadPayload("the last line is truncated", source=source, series=series, todo="try again later")


def rejected(series_id: str | None, row: str, reason: str) -> pl.DataFrame:
    """One row of rejects."""
    return pl.DataFrame([(series_id, row, reason)], schema=REJECT, orient="row")


def _precision_from_neighbours(observations: pl.DataFrame) -> pl.DataFrame:
    ordered = observations.sort("series_id", "period")
    if ordered.is_empty():
        return ordered
    # (t - 13 months, t + 12 months] holds t - 12 to t + 12 for every frequency from a year down to a month.
    largest = ordered.rolling("period", period="25mo", offset="-13mo", group_by="series_id").agg(
        pl.col("decimals").max().alias("largest")
    )
    return (
        ordered.join(largest, on=["series_id", "period"], how="left", maintain_order="left", validate="1:1")
        .drop("decimals")
        .rename({"largest": "decimals"})
    )
