"""Corrections of published figures, as data: the entries of catalog/corrections.yaml and where they apply.

Raw rows stay as published. A correction is applied when models read them (dbt_project/macros/corrections.sql), from the
day on which the error became known, and only while the publisher still publishes the corrected figure.
"""

from __future__ import annotations

import polars as pl

from pipelines.catalog import Catalog, CorrectionAction
from pipelines.ingest.precision import tolerance


def accepted(catalog: Catalog, observations: pl.DataFrame) -> list[str]:
    """Series of `observations` whose break with the known figures is accepted: an `accept` entry names one of them."""
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
