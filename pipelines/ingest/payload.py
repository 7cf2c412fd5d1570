"""A payload, and its coverage by series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True)
class Payload:
    """Bytes with their origin, ready to be parsed."""

    payload_id: str
    key: str
    retrieved_at: datetime
    body: bytes
    url: str | None = None
    status: int | None = 200
    content_type: str | None = None
    origin: str = "fetched"
    fidelity: str = "native"


def with_retrieval_day(frame: pl.DataFrame, payload: Payload) -> pl.DataFrame:
    return frame.with_columns(pl.lit(payload.retrieved_at.date()).alias("retrieved_on"))


# The coverage of one series by a payload, from which rows of raw.coverage are made.
COUNTS = {
    "series_id": pl.String,
    "rows": pl.Int64,
    "first_period": pl.Date,
    "last_period": pl.Date,
    "rows_added": pl.Int64,
    "rows_changed": pl.Int64,
    "rows_refined": pl.Int64,
    "rows_vanished": pl.Int64,
}
