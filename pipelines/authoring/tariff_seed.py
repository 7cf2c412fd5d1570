"""The seed of tariff products from the Yale Budget Lab's lists: `python -m pipelines.authoring.tariff_seed FOLDER`.

The lists identify products by prefixes of the US tariff schedule, compiled from its chapter 99 (github.com/
Budget-Lab-Yale/tariff-rate-tracker, MIT). Steel is left out on purpose: it is not a metal of the catalogue. Nothing is
computed here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from pipelines.settings import PROJECT_ROOT

SEED = PROJECT_ROOT / "dbt_project" / "seeds" / "tariff_products.csv"
COLUMNS = ("hts_prefix", "chapter_99_code", "annex", "metal_id", "effective_on", "product_list")
METALS = {"aluminum": "aluminium", "copper": "copper"}
# The list of copper products has no date; the tariff took effect on this day (90 FR 37727, document 2025-14893), a
# month after the schedule's revision that first printed it.
COPPER_EFFECTIVE_ON = "2025-08-01"


def products(folder: Path) -> pl.DataFrame:
    """Products of the three lists, columns as in COLUMNS; a cell is empty if the list has no value."""
    nothing = pl.lit(None, dtype=pl.String)

    def read(name: str) -> pl.DataFrame:
        return pl.read_csv(folder / f"{name}.csv", infer_schema=False).with_columns(product_list=pl.lit(name))

    copper = (
        read("s232_copper_products")
        .rename({"hts10": "hts_prefix"})
        .with_columns(metal_type=pl.lit("copper"), effective_date=pl.lit(COPPER_EFFECTIVE_ON), annex=nothing)
    )
    derivatives = read("s232_derivative_products").rename({"derivative_type": "metal_type"}).with_columns(annex=nothing)
    annexes = read("s232_annex_products").with_columns(ch99_code=nothing)
    names = ["hts_prefix", "ch99_code", "annex", "metal_type", "effective_date", "product_list"]
    whole = pl.concat([frame.select(names) for frame in (copper, derivatives, annexes)])
    unknown = set(whole["metal_type"]) - set(METALS) - {"steel"}
    if unknown:
        raise ValueError(f"metals that are neither known nor left out on purpose: {sorted(map(str, unknown))}")
    return (
        whole.filter(pl.col("metal_type").is_in(list(METALS)))
        .with_columns(pl.col("metal_type").replace_strict(METALS), pl.col("effective_date").replace("", None))
        .rename(dict(zip(names, COLUMNS, strict=True)))
        .unique()
        .sort(COLUMNS[-1], *COLUMNS[:-1])
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the tracker's resources folder")
    products(parser.parse_args().folder).write_csv(SEED)
