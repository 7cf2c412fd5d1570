"""The contracts of the raw tables (pandera), and the one `validate` that applies them.

`columns` has their columns and types, `contracts.schemas` the rules that the values must meet. `validate` separates
good rows from bad ones, which ingest quarantines with all reasons; `ingest.continuity` then compares the good ones with
known figures. No reading, no writing here.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Verdict:
    """Rows that hold the contract, and rows that do not with their reasons (column `reason`)."""

    good: pl.DataFrame
    bad: pl.DataFrame


def validate(frame: pl.DataFrame, table: str) -> Verdict:
    """Split `frame` by the contract of `table`.

    Values are checked, not only names and types: the frame is collected and every failing row is named.
    A frame whose columns or types are wrong raises pandera's SchemaErrors: that is a bug of the parser, not bad data.
    """
    from pipelines.contracts import schemas  # noqa: PLC0415 - most of a second, and few processes check rows

    if frame.is_empty() and set(frame.columns) == set(schemas.BY_TABLE[table].columns):
        return Verdict(frame, frame.with_columns(pl.lit(None, pl.String).alias("reason")))
    # A year that Python's dates do not reach fails whoever shows the row, pandera first: such a date is left out of it.
    odd = {n: ~pl.col(n).dt.year().is_between(1, 9999) for n, kind in frame.schema.items() if kind == pl.Date}
    beyond = frame.filter(pl.any_horizontal(False, *(far.fill_null(False) for far in odd.values())))
    if beyond.height:
        rest = validate(frame.filter(~pl.any_horizontal(far.fill_null(False) for far in odd.values())), table)
        said = [
            pl.when(far).then(pl.format("{}: a date in the year {}", pl.lit(n), pl.col(n).dt.year()))
            for n, far in odd.items()
        ]
        beyond = beyond.with_columns(
            pl.concat_str(said, separator="; ", ignore_nulls=True).alias("reason")
        ).with_columns(pl.when(~far).then(pl.col(n)).alias(n) for n, far in odd.items())
        return Verdict(rest.good, pl.concat([beyond, rest.bad]))
    cases = schemas.failures(frame, table)
    if cases is None:
        return Verdict(frame, frame.head(0).with_columns(pl.lit(None, pl.String).alias("reason")))
    reasons = (
        cases.select(
            pl.col("index").cast(pl.Int32).alias("_position"),
            pl.format("{}: {}", pl.col("column").fill_null("row"), pl.col("check")).alias("reason"),
        )
        .unique(maintain_order=True)
        .group_by("_position")
        .agg(pl.col("reason").sort().str.join("; "))
    )
    numbered = frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("_position"))
    bad = numbered.join(reasons, on="_position").sort("_position").drop("_position")
    good = numbered.join(reasons, on="_position", how="anti").sort("_position").drop("_position")
    return Verdict(good, bad)
