"""Corrections of what is published, as data: catalog/corrections.yaml, record_corrections.yaml, and where they apply.

Raw rows stay as published. A correction is applied when models read them (dbt_project/macros/corrections.sql), from the
day on which the error became known, and only while the publisher still publishes the corrected figure.
"""

from __future__ import annotations

import polars as pl

from pipelines.catalog import Catalog, CorrectionAction
from pipelines.ingest.precision import RELATIVE_TOLERANCE, tolerance


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


def withdrawal_is_accepted(catalog: Catalog, facts: pl.DataFrame) -> bool:
    """Whether an `accept` entry names one of the facts of a payload."""
    wanted = [
        (cik, c.fact.tag, c.fact.unit, c.fact.period_start, c.fact.period_end, c.published)
        for c in catalog.record_corrections.values()
        if c.fact and c.action is CorrectionAction.ACCEPT
        for cik in (validity.cik for validity in catalog.companies[c.fact.company].ciks)
    ]
    key = ["cik", "tag", "unit", "period_start", "period_end"]
    schema = {name: facts.schema[name] for name in key} | {"published": pl.Float64}
    entries = pl.DataFrame(wanted, schema=schema, orient="row")
    found = facts.join(entries, on=key, how="inner", nulls_equal=True)
    same = (pl.col("value") - pl.col("published")).abs() <= RELATIVE_TOLERANCE * pl.col("published").abs()
    return not found.filter(same).is_empty()
