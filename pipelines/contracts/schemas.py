"""The contracts in pandera's terms: the rules that the values of each raw table must meet.

Only `contracts.validate` imports this module, when there are rows to check: pandera and pandas take most of a second.
"""

from __future__ import annotations

from datetime import date

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from pipelines import columns

MAX_TEXT = 2_000  # characters of a title, a name, a number; the longest title of a document seen has some hundreds
EARLIEST_PERIOD = date(1850, 1, 1)  # nothing in the catalogue reaches further back; an earlier date is a misread one
LATEST_DATE = date(2200, 1, 1)  # a bond of a hundred years falls due before
# The largest balance sheets, in the smallest currencies, have sixteen digits. What is beyond, or as close to zero as no
# price is, would overflow sums and ratios of the models.
LARGEST, SMALLEST = 1e18, 1e-12


def _finite(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_finite())


def _of_a_size(data: pa.PolarsData) -> pl.LazyFrame:
    size = pl.col(data.key).abs()
    return data.lazyframe.select((size == 0) | size.is_between(SMALLEST, LARGEST) | ~size.is_finite())


def _plausible(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col("value").is_between(pl.col("plausible_low"), pl.col("plausible_high")))


def _not_in_the_future(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col("period") <= pl.col("retrieved_on"))


def _starts_before_it_ends(data: pa.PolarsData) -> pl.LazyFrame:
    start, end = pl.col("period_start"), pl.col("period_end")
    return data.lazyframe.select(start.is_null() | (start < end))


def _filed_after_it_ended(data: pa.PolarsData) -> pl.LazyFrame:
    # A cover-page instant may be dated a few days after the filing's own date; a duration may not end later.
    return data.lazyframe.select(pl.col("period_start").is_null() | (pl.col("filed") >= pl.col("period_end")))


def _filed_by_retrieval(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col("filed") <= pl.col("retrieved_on"))


def _listed_by_retrieval(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col("filing_date") <= pl.col("retrieved_on"))


def _published_by_retrieval(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col("publication_date") <= pl.col("retrieved_on"))


def _found_of_wanted(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select((pl.col("series_found") <= pl.col("series_wanted")).fill_null(True))


def _contract(
    table: str,
    checks: dict[str, pa.Check] | None = None,
    rows: tuple[pa.Check, ...] = (),
    beside: dict[str, pa.Column] | None = None,
) -> pa.DataFrameSchema:
    """The columns of a raw table with the checks of single columns and of whole rows.

    Texts, numbers and dates are bounded in each of them.
    `beside` are columns that only serve the checks, as the day of retrieval does.
    """
    checks = checks or {}
    found = {
        name: pa.Column(
            column.type,
            [*([checks[name]] if name in checks else []), *_BOUNDS.get(column.type, ())],
            nullable=column.nullable,
            description=column.description,
        )
        for name, column in columns.RAW[table].items()
    }
    return pa.DataFrameSchema(
        found | (beside or {}) | _ADDED, checks=list(rows), unique=list(columns.KEYS[table]), strict=True
    )


_ADDED = {
    "retrieved_on": pa.Column(pl.Date),
    "row": pa.Column(pl.String, description="Where the row stands in the payload"),
}
_SHORT = pa.Check.str_length(max_value=MAX_TEXT, error=f"is longer than {MAX_TEXT:,} characters")
_FINITE = pa.Check(_finite, name="finite", error="is not a finite number")
_BOUNDS: dict[type[pl.DataType], tuple[pa.Check, ...]] = {
    pl.String: (_SHORT,),
    pl.Float64: (_FINITE, pa.Check(_of_a_size, name="of_a_size", error="is larger or smaller than any figure")),
    pl.Date: (pa.Check.ge(EARLIEST_PERIOD), pa.Check.le(LATEST_DATE)),
}
_ACCESSION = pa.Check.str_matches(r"^\d{10}-\d{2}-\d{6}$")

OBSERVATION = _contract(
    "observation",
    {"decimals": pa.Check.in_range(0, 20)},
    (
        pa.Check(_plausible, name="plausible", error="is outside the plausible range of the catalogue"),
        pa.Check(_not_in_the_future, name="not_in_the_future", error="its period starts after the payload was fetched"),
    ),
    {"plausible_low": pa.Column(pl.Float64), "plausible_high": pa.Column(pl.Float64)},
)
FILING_FACT = _contract(
    "filing_fact",
    {"cik": pa.Check.gt(0), "accession": _ACCESSION},
    (
        pa.Check(_starts_before_it_ends, name="starts_before_it_ends", error="its period starts after it ends"),
        pa.Check(_filed_after_it_ended, name="filed_after_it_ended", error="was filed before its period ended"),
        pa.Check(_filed_by_retrieval, name="filed_by_retrieval", error="is filed later than it was fetched"),
    ),
)
FILING = _contract(
    "filing",
    {"cik": pa.Check.gt(0), "accession": _ACCESSION},
    (pa.Check(_listed_by_retrieval, name="listed_by_retrieval", error="is filed later than it was fetched"),),
)
POLICY_DOCUMENT = _contract(
    "policy_document",
    rows=(
        pa.Check(_published_by_retrieval, name="published_by_retrieval", error="is dated later than it was fetched"),
    ),
)
TARIFF_RELEASE = _contract(
    "tariff_release",
    {"status": pa.Check.str_length(min_value=1)},
)

_LIVE = {
    "state": pa.Check.isin(list(columns.LIVE_STATES)),
    "status": pa.Check.in_range(100, 599),
    "newest_period": pa.Check.ge(EARLIEST_PERIOD),
    **dict.fromkeys(("bytes", "seconds", "series_wanted", "series_found", "rows"), pa.Check.in_range(0, LARGEST)),
    **dict.fromkeys(("payload_id", "compared_with"), pa.Check.str_matches("^[0-9a-f]{64}$")),
}
LIVE_CHECK = pa.DataFrameSchema(
    {n: pa.Column(c.type, _LIVE.get(n), nullable=c.nullable) for n, c in columns.LIVE_CHECK.items()},
    checks=[pa.Check(_found_of_wanted, name="found_of_wanted", error="finds more series than it wants")],
    unique=["source_id", "checked_at"],
    strict=True,
)

BY_TABLE: dict[str, pa.DataFrameSchema] = {
    "observation": OBSERVATION,
    "filing_fact": FILING_FACT,
    "filing": FILING,
    "policy_document": POLICY_DOCUMENT,
    "tariff_release": TARIFF_RELEASE,
    "live_check": LIVE_CHECK,
}


def failures(frame: pl.DataFrame, table: str) -> pl.DataFrame | None:
    """pandera's failure cases, each with the index of its row; None if every row holds the contract.

    A frame whose columns or types are wrong raises SchemaErrors: that is a bug of the parser, not bad data.
    """
    try:
        # pandera reads from the environment whether and how deep it validates (PANDERA_VALIDATION_ENABLED,
        # PANDERA_VALIDATION_DEPTH); a contract must not be switched off from outside.
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            BY_TABLE[table].validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        if cases["index"].null_count():
            raise
        return cases
    return None
