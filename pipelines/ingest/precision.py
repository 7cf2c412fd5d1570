"""Tolerance between two publications of one figure: half a unit of the last printed digit, or a relative tolerance.

Defined here only, for frames and for SQL. `decimals` is null where a format prints no precision.
"""

from __future__ import annotations

import polars as pl

# Slightly more than half a unit of the last printed digit, because spreadsheets round halves up or down.
HALF_UNIT = 0.5 * (1 + 1e-6)
# Relative tolerance for figures without a printed precision (binary floats, filings re-scaled from thousands).
RELATIVE_TOLERANCE = 1e-9


def printed() -> pl.Expr:
    """Half a unit of the last digit, by the column `decimals`; 0 where it is null."""
    return (HALF_UNIT * pl.lit(10.0).pow(-pl.col("decimals").cast(pl.Float64))).fill_null(0.0)


def tolerance(known: str) -> pl.Expr:
    """The maximum difference at which a figure printed with `decimals` equals the column `known`."""
    return printed() + RELATIVE_TOLERANCE * pl.col(known).abs()


def tolerance_sql(decimals: str, known: str) -> str:
    """The same as SQL, for the named columns."""
    return f"(coalesce({HALF_UNIT} * power(10, -{decimals}), 0) + {RELATIVE_TOLERANCE} * abs({known}))"
