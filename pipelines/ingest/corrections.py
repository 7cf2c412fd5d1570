"""Corrections of what publishers say, as data: the entries of catalog/corrections.yaml and where they hold.

Raw rows stay as published. A correction works on what is read from them (dbt_project/macros/corrections.sql), from the
day on which the mistake was known, and only as long as the publisher still says what it corrects.
"""

from __future__ import annotations

import polars as pl

from pipelines.catalog import Catalog, CorrectionAction
from pipelines.ingest.precision import tolerance


def accepted(catalog: Catalog, observations: pl.DataFrame) -> list[str]:
    """Series of `observations` whose break with what is known is right: an `accept` entry names a figure they hold."""
    entries = [c for c in catalog.corrections.values() if c.action is CorrectionAction.ACCEPT]
    if not entries:
        return []
    wanted = pl.DataFrame(
        [(c.series, c.period, c.published) for c in entries],
        schema={"series_id": pl.String, "period": pl.Date, "published": pl.Float64},
        orient="row",
    )
    found = observations.join(wanted, on=["series_id", "period"], how="inner").filter(
        (pl.col("value") - pl.col("published")).abs() <= tolerance("published")
    )
    return found["series_id"].unique().to_list()
