"""How far two prints of one figure may lie apart: half a unit of the last printed digit, or a share of binary floats.

The one statement of it: for frames, and for SQL. `decimals` is null where a format prints no precision.
"""

from __future__ import annotations

import polars as pl

# Half a unit of the last printed digit, and a hair more: halves are rounded either way by spreadsheets.
HALF_UNIT = 0.5 * (1 + 1e-6)
# Figures without a printed precision (binary floats, filings re-scaled from thousands) agree to this share.
RELATIVE_TOLERANCE = 1e-9


def printed() -> pl.Expr:
    """Half a unit of the last digit that the column `decimals` counts; 0 where nothing is printed."""
    return (HALF_UNIT * pl.lit(10.0).pow(-pl.col("decimals").cast(pl.Float64))).fill_null(0.0)


def tolerance(known: str) -> pl.Expr:
    """How far a figure printed with `decimals` may lie from the column `known` and still be the same."""
    return printed() + RELATIVE_TOLERANCE * pl.col(known).abs()


def tolerance_sql(decimals: str, known: str) -> str:
    """The same in SQL, of the columns named."""
    return f"(coalesce({HALF_UNIT} * power(10, -{decimals}), 0) + {RELATIVE_TOLERANCE} * abs({known}))"
