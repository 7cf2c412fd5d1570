"""Inputs of the benchmarks: recorded payloads, if available, and seeded synthetic observations, named as such."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from tests.recordings import folders

RECORDED = next(iter(folders()), Path("no-recordings"))
COMPANYFACTS = RECORDED / "sec" / "companyfacts_full" / "CIK0001652044.json"
COMPANYFACTS_KEY = "companyfacts/CIK0001652044"
WORKBOOK = RECORDED / "worldbank" / "2026-06-03" / "CMO-Historical-Data-Monthly.xlsx"


def recorded(path: Path) -> bytes:
    """A recorded payload. Raises SystemExit if the recordings are missing: there is no substitute."""
    if not path.is_file():
        raise SystemExit(f"{path} is not here: METALS_TEST_UPSTREAM names the folder of recorded payloads")
    return path.read_bytes()


def observations(rows: int) -> pl.DataFrame:
    """Rows of the raw table `observation`: synthetic daily series of 10,000 days each, known on the same day."""
    days = 10_000
    number = pl.int_range(rows)
    period = (pl.lit(date(1999, 1, 1)) + pl.duration(days=number % days)).cast(pl.Date)
    return pl.select(
        (pl.lit("synthetic_") + (number // days).cast(pl.String).str.zfill(6)).alias("series_id"),
        period.alias("period"),
        ((number * 7919 % 1_000_003) / 1000).alias("value"),
        pl.lit(3, dtype=pl.Int16).alias("decimals"),
        (period.cast(pl.Datetime("us")) + timedelta(days=1)).alias("known_at"),
        pl.lit("observed").alias("known_at_basis"),
        pl.lit("0" * 64).alias("payload_id"),
    )
