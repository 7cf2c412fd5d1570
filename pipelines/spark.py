"""The same parser and models on Spark, for inputs too large for one machine (pip extra `spark`).

The daily run does not use this module: its engine is DuckDB, which Spark replaces on a cluster (docs/growing.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import FILING_FACT, sec_edgar

# Session settings under which figures equal those of DuckDB: UTC, timestamps without a time zone.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_TYPES = {pl.String: "string", pl.Float64: "double", pl.Int64: "bigint", pl.Int16: "smallint", pl.Date: "date"}
_FACTS = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in FILING_FACT.items()) + ", reason string"
_ARROW = pl.DataFrame(schema={**FILING_FACT, "reason": pl.String}).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
_KEY = re.compile(r"CIK\d{10}(?=\.json$)")


def facts(session: SparkSession, files: str) -> DataFrame:
    """The facts of companyfacts responses (`files`: a folder or pattern of CIK##########.json), parsed on the workers.

    Columns of FILING_FACT and `reason`, which is null for a fact. A fact that is rejected, or a response that is
    refused, is a row with its reason and no other value than `cik` and `row`.
    """
    bodies = session.read.format("binaryFile").load(files).select("path", "content")
    return bodies.mapInArrow(_parsed, _FACTS)


def _parsed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    nothing = Catalog([], [], [], [])  # the parser of facts does not read the catalogue
    for batch in batches:
        for path, content in zip(batch["path"].to_pylist(), batch["content"].to_pylist(), strict=True):
            found = _KEY.search(path)
            key = f"companyfacts/{found.group(0) if found else path}"
            try:
                parsed = sec_edgar.parse(content, key, nothing)
            except BadPayload as error:
                cik = int(found.group(0)[3:]) if found else None
                frames = [pl.DataFrame({"cik": cik, "row": key, "reason": str(error)}, schema_overrides=FILING_FACT)]
            else:
                rejects = parsed.rejects.select(
                    pl.col("series_id").str.strip_prefix("CIK").cast(pl.Int64).alias("cik"), "row", "reason"
                )
                frames = [parsed.filing_facts, rejects]
            table = pl.concat(frames, how="diagonal").match_to_schema(
                {**FILING_FACT, "reason": pl.String}, missing_columns="insert"
            )
            yield from table.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(_ARROW).to_batches()


def register(session: SparkSession, folder: Path) -> None:
    """The raw tables that the models read, from one Parquet file for each (`<folder>/<table>.parquet`)."""
    session.sql("create database if not exists raw")
    for path in sorted(folder.glob("*.parquet")):
        session.sql(f"drop table if exists raw.{path.stem}")
        session.sql(f"create table raw.{path.stem} using parquet location '{path}'")
