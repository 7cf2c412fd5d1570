"""Tolerance between two publications of one figure: half a unit of the last printed digit, or a relative tolerance.

Defined here only, for frames and for SQL. `decimals` is null where a format prints no precision. A figure that agrees
with the known one to the digits known, and prints more of them, is a refinement: it is stored, and no revision.
"""

from __future__ import annotations

import polars as pl

# Slightly more than half a unit of the last printed digit, because spreadsheets round halves up or down.
HALF_UNIT = 0.5 * (1 + 1e-6)
# Files whose figures are stored or computed in single precision (EPU since 2025) carry errors of up to two and a half
# units in the last place of 24 bits, though they print nine decimals; real revisions differ by more than five.
SINGLE_PRECISION = 3 * 2.0**-23
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


def refines_sql(value: str, decimals: str, known: str, known_decimals: str) -> str:
    """SQL that is true if a figure only adds digits to the known one; null or false where the known one prints none.

    A figure that prints no precision (a binary number) is finer than any printed one.
    """
    finer = f"coalesce({decimals} > {known_decimals}, {known_decimals} is not null)"
    single = single_precision_sql(known, known_decimals)
    return (
        f"(({finer} or {single} > 0) and abs({value} - {known}) <= {tolerance_sql(known_decimals, known)} + {single})"
    )


def single_precision_sql(value: str, decimals: str) -> str:
    """SQL of the error of a figure in single precision that is printed with more digits than that holds; else 0."""
    half_unit = f"{HALF_UNIT} * power(10, -{decimals})"
    return (
        f"(case when {half_unit} < {2.0**-24} * abs({value}) "
        f"and abs({value} - cast(cast({value} as float) as double)) <= {half_unit} "
        f"then {SINGLE_PRECISION} * abs({value}) else 0 end)"
    )
