"""The contracts of the raw tables (pandera), and the one `validate` that applies them.

A column's type, meaning and checks stand here once: the table's DDL, its comments and the data
dictionary follow from the same schema. Good rows go on; a bad row goes to quarantine with every
reason it failed for. No reading, no writing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

EARLIEST_PERIOD = date(1850, 1, 1)  # nothing in the catalogue reaches further back; an earlier date is a misread one


def _finite(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_finite())


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


OBSERVATION = pa.DataFrameSchema(
    {
        "series_id": pa.Column(pl.String, description="Series of the catalogue"),
        "period": pa.Column(pl.Date, pa.Check.ge(EARLIEST_PERIOD), description="First day of the reference period"),
        "value": pa.Column(
            pl.Float64,
            pa.Check(_finite, name="finite", error="is not a finite number"),
            description="Figure in the series' own unit, as published",
        ),
        "decimals": pa.Column(
            pl.Int16,
            pa.Check.in_range(0, 20),
            nullable=True,
            description="Digits the payload prints after the point; null where it prints none",
        ),
        "plausible_low": pa.Column(pl.Float64),
        "plausible_high": pa.Column(pl.Float64),
        "retrieved_on": pa.Column(pl.Date),
        "row": pa.Column(pl.String, description="Where the row stands in the payload"),
    },
    checks=[
        pa.Check(_plausible, name="plausible", error="is outside the plausible range of the catalogue"),
        pa.Check(_not_in_the_future, name="not_in_the_future", error="its period starts after the payload was fetched"),
    ],
    unique=["series_id", "period"],
    strict=True,
)

FILING_FACT = pa.DataFrameSchema(
    {
        "cik": pa.Column(pl.Int64, pa.Check.gt(0), description="Central Index Key of the filer"),
        "taxonomy": pa.Column(pl.String, description="us-gaap, ifrs-full, dei, ..."),
        "tag": pa.Column(pl.String, description="XBRL element name"),
        "unit": pa.Column(pl.String, description="Unit of measure, e.g. USD"),
        "period_start": pa.Column(pl.Date, nullable=True, description="First day of the duration; null for an instant"),
        "period_end": pa.Column(
            pl.Date, pa.Check.ge(EARLIEST_PERIOD), description="Last day of the duration, or the instant"
        ),
        "value": pa.Column(
            pl.Float64,
            pa.Check(_finite, name="finite", error="is not a finite number"),
            description="Value as filed, in `unit`",
        ),
        "accession": pa.Column(
            pl.String,
            pa.Check.str_matches(r"^\d{10}-\d{2}-\d{6}$"),
            description="Accession number of the filing that carries the fact",
        ),
        "form": pa.Column(pl.String, description="Form type of that filing, e.g. 10-K"),
        "filed": pa.Column(pl.Date, description="Day of filing"),
        "fiscal_year": pa.Column(pl.Int16, nullable=True, description="Fiscal year of the filing, not of the fact"),
        "fiscal_period": pa.Column(
            pl.String, nullable=True, description="Fiscal period of the filing, not of the fact"
        ),
        "retrieved_on": pa.Column(pl.Date),
        "row": pa.Column(pl.String, description="Where the row stands in the payload"),
    },
    checks=[
        pa.Check(_starts_before_it_ends, name="starts_before_it_ends", error="its period starts after it ends"),
        pa.Check(_filed_after_it_ended, name="filed_after_it_ended", error="was filed before its period ended"),
        pa.Check(_filed_by_retrieval, name="filed_by_retrieval", error="is filed later than it was fetched"),
    ],
    unique=["cik", "taxonomy", "tag", "unit", "period_start", "period_end", "accession"],
    strict=True,
)

FILING = pa.DataFrameSchema(
    {
        "cik": pa.Column(pl.Int64, pa.Check.gt(0), description="Central Index Key of the filer"),
        "accession": pa.Column(
            pl.String, pa.Check.str_matches(r"^\d{10}-\d{2}-\d{6}$"), description="Accession number of the filing"
        ),
        "form": pa.Column(pl.String, description="Form type, e.g. 10-K"),
        "filing_date": pa.Column(pl.Date, pa.Check.ge(EARLIEST_PERIOD), description="Day of filing"),
        "report_date": pa.Column(pl.Date, nullable=True, description="Last day of the period reported on"),
        "acceptance_datetime": pa.Column(
            pl.String,
            nullable=True,
            description="Time of acceptance as printed; its zone is not certain (Eastern time or UTC)",
        ),
        "primary_document": pa.Column(pl.String, nullable=True, description="File name of the main document"),
        "retrieved_on": pa.Column(pl.Date),
        "row": pa.Column(pl.String, description="Where the row stands in the payload"),
    },
    checks=[pa.Check(_listed_by_retrieval, name="listed_by_retrieval", error="is filed later than it was fetched")],
    unique=["cik", "accession"],
    strict=True,
)

POLICY_DOCUMENT = pa.DataFrameSchema(
    {
        "document_number": pa.Column(pl.String, description="Federal Register document number"),
        "topic": pa.Column(pl.String, description="Topic of the catalogue under which it was found"),
        "type": pa.Column(pl.String, nullable=True, description="Rule, Proposed Rule, Notice, Presidential Document"),
        "subtype": pa.Column(pl.String, nullable=True, description="e.g. proclamation, executive_order"),
        "title": pa.Column(pl.String, description="Title as published"),
        "agencies": pa.Column(pl.String, nullable=True, description="Agencies, by slug, joined by '; '"),
        "publication_date": pa.Column(pl.Date, description="Day of publication"),
        "signing_date": pa.Column(pl.Date, nullable=True, description="Day of signing"),
        "effective_on": pa.Column(pl.Date, nullable=True, description="Day of legal effect as stated"),
        "citation": pa.Column(pl.String, nullable=True, description="Federal Register citation"),
        "executive_order_number": pa.Column(pl.String, nullable=True, description="Executive order number"),
        "proclamation_number": pa.Column(pl.String, nullable=True, description="Proclamation number"),
        "html_url": pa.Column(pl.String, nullable=True, description="Page of the document"),
        "retrieved_on": pa.Column(pl.Date),
        "row": pa.Column(pl.String, description="Where the row stands in the payload"),
    },
    checks=[
        pa.Check(_published_by_retrieval, name="published_by_retrieval", error="is dated later than it was fetched")
    ],
    unique=["document_number", "topic"],
    strict=True,
)


TARIFF_RELEASE = pa.DataFrameSchema(
    {
        "release_id": pa.Column(pl.String, description="Name of the release, e.g. 2026HTSRev4"),
        "title": pa.Column(pl.String, nullable=True, description="Title as published"),
        "status": pa.Column(
            pl.String, pa.Check.str_length(min_value=1), description="Status as published, e.g. current, archive"
        ),
        "release_start_date": pa.Column(
            pl.Date,
            pa.Check.ge(EARLIEST_PERIOD),
            nullable=True,
            description="First day of the release as published; not the day on which a duty takes legal effect",
        ),
        "retrieved_on": pa.Column(pl.Date),
        "row": pa.Column(pl.String, description="Where the row stands in the payload"),
    },
    unique=["release_id"],
    strict=True,
)

# The raw tables that hold what publishers say. A row is one of these with the time at which it became known.
RAW = {
    "observation": OBSERVATION,
    "filing_fact": FILING_FACT,
    "filing": FILING,
    "policy_document": POLICY_DOCUMENT,
    "tariff_release": TARIFF_RELEASE,
}


def key(table: str) -> list[str]:
    """The columns by which a row of a raw table is told apart, apart from when it became known."""
    return list(RAW[table].unique or [])


@dataclass(frozen=True)
class Verdict:
    """Rows that hold the contract, and rows that do not with their reasons (column `reason`)."""

    good: pl.DataFrame
    bad: pl.DataFrame


def validate(frame: pl.DataFrame, contract: pa.DataFrameSchema) -> Verdict:
    """Split `frame` by `contract`.

    Values are checked, not only names and types: the frame is collected and every failing row is named.
    A frame whose columns or types are wrong raises pandera's SchemaErrors: that is a bug of the parser, not bad data.
    """
    if frame.is_empty() and set(frame.columns) == set(contract.columns):
        return Verdict(frame, frame.with_columns(pl.lit(None, pl.String).alias("reason")))
    numbered = frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("_position"))
    try:
        # pandera reads from the environment whether and how deep it validates (PANDERA_VALIDATION_ENABLED,
        # PANDERA_VALIDATION_DEPTH); a contract must not be switched off from outside.
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            contract.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if cases["index"].null_count():
            raise
        reasons = (
            cases.select(
                pl.col("index").cast(pl.Int32).alias("_position"),
                pl.format("{}: {}", pl.col("column").fill_null("row"), pl.col("check")).alias("reason"),
            )
            .unique(maintain_order=True)
            .group_by("_position")
            .agg(pl.col("reason").sort().str.join("; "))
        )
        bad = numbered.join(reasons, on="_position").sort("_position").drop("_position")
        good = numbered.join(reasons, on="_position", how="anti").sort("_position").drop("_position")
        return Verdict(good, bad)
    return Verdict(frame, frame.head(0).with_columns(pl.lit(None, pl.String).alias("reason")))
