"""The raw tables: columns, types, descriptions, and the statements that create them. Rows are written elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines import columns
from pipelines.warehouse.sql import quoted, transaction

_SQL_TYPE = {
    pl.String: "varchar", pl.Float64: "double", pl.Int64: "bigint", pl.Int16: "smallint", pl.Date: "date",
    pl.Datetime: "timestamp",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    name: str
    description: str
    columns: tuple[Column, ...]


def _of(table: str) -> tuple[Column, ...]:
    """The columns that a parser or a live check produces."""
    every = columns.RAW | {"live_check": columns.LIVE_CHECK}
    return tuple(Column(name, _SQL_TYPE[c.type], c.description) for name, c in every[table].items())


_KNOWN = (
    Column("known_at", "timestamp", "When the row became known, UTC"),
    Column(
        "known_at_basis",
        "varchar",
        "reported (the day of a filing, document or release), observed, refined (observed, and only digits were "
        "added), assumed_lag (period end plus publication lag), or withdrawn (a whole answer no longer states it)",
    ),
    Column("payload_id", "varchar", "SHA-256 of the payload that carried it"),
)


TABLES = (
    Table(
        "observation",
        "One row per series, period and value learnt. Append-only: a row is written only when the value differs "
        "from the last known one beyond the precision that the newer payload prints.",
        _of("observation") + _KNOWN,
    ),
    Table(
        "filing_fact",
        "One row per XBRL fact and filing, as the SEC serves it, and per time it was withdrawn. Append-only.",
        _of("filing_fact") + _KNOWN,
    ),
    Table(
        "filing",
        "One row per filing listed in the SEC's index of a filer, and version of that line. Append-only.",
        _of("filing") + _KNOWN,
    ),
    Table(
        "policy_document",
        "One row per Federal Register document, topic and version learnt. Append-only.",
        _of("policy_document") + _KNOWN,
    ),
    Table(
        "tariff_release",
        "One row per release of the Harmonized Tariff Schedule and version of its line in the list. Append-only.",
        _of("tariff_release") + _KNOWN,
    ),
    Table(
        "bulk_filing_fact",
        "One row per fact of capital expenditure and filing, of every filer in the SEC's bulk file; empty without "
        "`metals backfill sec`.",
        _of("filing_fact") + _KNOWN,
    ),
    Table(
        "bulk_filer",
        "One row per filer in the SEC's bulk file, with what became of its facts; empty without `metals backfill sec`.",
        (
            Column("cik", "bigint", "Central Index Key of the filer"),
            Column("name", "varchar", "Name of the filer"),
            Column("sic", "varchar", "Industry of the filer at the time of the backfill (SIC code)"),
            Column("sic_description", "varchar", "Industry in words"),
            Column("sic_missing_reason", "varchar", "Why there is no industry; null where there is one"),
            Column("facts", "bigint", "Facts stored in Parquet, of every tag"),
            Column("rejected", "bigint", "Facts that could not be read or broke the contract"),
            Column("missing", "bigint", "Facts without a value"),
            Column("refused", "varchar", "Why none of the filer's facts is stored; null where they are"),
            Column("retrieved_at", "timestamp", "When the backfill of this file began, UTC"),
            Column("payload_id", "varchar", "SHA-256 of the bulk file"),
        ),
    ),
    Table(
        "payload",
        "One row per publisher's response whose rows are in the warehouse.",
        (
            Column("payload_id", "varchar", "SHA-256 of the bytes"),
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("request_key", "varchar", "What was asked for"),
            Column("url", "varchar", "Address it came from, without secrets"),
            Column("retrieved_at", "timestamp", "When it was first fetched, UTC"),
            Column("status", "smallint", "HTTP status"),
            Column("content_type", "varchar", "Content-Type header"),
            Column("bytes", "bigint", "Size in bytes"),
            Column("origin", "varchar", "fetched by this warehouse, bundled with the project, or backfilled"),
            Column("fidelity", "varchar", "How close the bytes are to the publisher's own"),
            Column("publisher", "varchar", "Publisher of the figures"),
            Column("credit", "varchar", "Credit line"),
            Column("licence", "varchar", "Licence or terms"),
        ),
    ),
    Table(
        "retrieval",
        "One row per time a publisher was asked for something, with what came of it.",
        (
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("request_key", "varchar", "What was asked for"),
            Column("checked_at", "timestamp", "When, UTC"),
            Column(
                "outcome",
                "varchar",
                "fresh, unchanged, absent (nothing there, as may be), failed (not reached or not what was asked), "
                "blocked (the publisher turned this client away), refused (contract), waiting (not read in time: the "
                "next run tries again)",
            ),
            Column("payload_id", "varchar", "SHA-256 of the answer"),
            Column("error", "varchar", "Why it failed, was blocked or refused, or waits"),
            Column("seconds", "double", "Duration of the request in seconds"),
        ),
    ),
    Table(
        "coverage",
        "One row per payload and series: what the payload held of it, and what that changed.",
        (
            Column("payload_id", "varchar", "SHA-256 of the payload"),
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("series_id", "varchar", "Series of the catalogue (or company, topic, or source of records)"),
            Column("retrieved_at", "timestamp", "When the payload was fetched, UTC"),
            Column("rows", "bigint", "Good rows in the payload"),
            Column(
                "missing",
                "bigint",
                "Cells that hold a missing-value marker, and figures of a period that had not ended",
            ),
            Column("quarantined", "bigint", "Rows sent to quarantine"),
            Column("first_period", "date", "First period in the payload"),
            Column("last_period", "date", "Last period in the payload"),
            Column("rows_added", "bigint", "Rows of periods not known before"),
            Column("rows_changed", "bigint", "Rows that differ from what was known: revisions"),
            Column("rows_refined", "bigint", "Rows that only add digits to what was known"),
            Column(
                "rows_vanished",
                "bigint",
                "Periods known before, inside the payload's range, that it no longer holds; facts that a whole answer "
                "no longer states",
            ),
        ),
    ),
    Table(
        "quarantine",
        "One row per row that could not be read or broke its contract, and per damaged line of the landing journal. "
        "Nothing is dropped silently.",
        (
            Column("source_id", "varchar", "Source of the catalogue"),
            Column("payload_id", "varchar", "SHA-256 of the payload; null for a line of the landing journal"),
            Column("series_id", "varchar", "Series of the catalogue (or company, topic, or source of records)"),
            Column("row", "varchar", "Where it stands in the payload, and what it holds"),
            Column("reason", "varchar", "Why it is not in the warehouse"),
            Column("quarantined_at", "timestamp", "When, UTC"),
        ),
    ),
    Table(
        "live_check",
        "One row per live check of a publisher: one small request whose answer was parsed, compared and not landed. "
        "Append-only.",
        _of("live_check"),
    ),
    Table(
        "known_at_change",
        "One row per figure that was re-dated after it was loaded, because a day of release was entered or changed in "
        "release_dates.yaml. Append-only.",
        (
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("period", "date", "First day of the reference period"),
            Column("known_at_before", "timestamp", "When the row counted as known until then, UTC"),
            Column("known_at_basis_before", "varchar", "Basis of that"),
            Column("known_at_after", "timestamp", "When it counts as known since, UTC"),
            Column("known_at_basis_after", "varchar", "Basis of that"),
            Column("reference", "varchar", "Where the day of release is stated"),
            Column("changed_at", "timestamp", "When the row was re-dated, UTC"),
        ),
    ),
    Table(
        "build",
        "One row per build of the models: when, for which as-of date, and whether it was completed.",
        (
            Column("build_id", "varchar", "Identity of the build"),
            Column("as_of", "date", "What was known by the end of this day was used"),
            Column("started_at", "timestamp", "Start, UTC"),
            Column("finished_at", "timestamp", "End, UTC; null while running or after a kill"),
            Column("succeeded", "boolean", "Whether every model and blocking test passed"),
            Column("selection", "varchar", "Which models; empty for all"),
        ),
    ),
    Table(
        "model_state",
        "One row per model or seed that a later build may keep: what it was built from, and since when it stands.",
        (
            Column("model", "varchar", "Model or seed"),
            Column("key", "varchar", "Identity of everything that decides its rows; while it holds, so do they"),
            Column("content", "varchar", "Identity of its rows (of its text, for a view) as they were built"),
            Column("build_id", "varchar", "Build that made it"),
            Column("built_at", "timestamp", "End of that build, UTC"),
        ),
    ),
    Table(
        "claim_history",
        "One row per claim and past month end: the verdict from what was known by that day, under the present rules.",
        (
            Column("as_of", "date", "Month end the verdict is of"),
            Column("claim_id", "varchar", "Claim"),
            Column("verdict", "varchar", "Verdict"),
            Column("because", "varchar", "The evidence in sentences"),
            Column("decisive_indicators", "integer", "Decisive indicators of the rule"),
            Column("decisive_supporting", "integer", "Of these, those that support"),
            Column("decisive_contradicting", "integer", "Of these, those that contradict"),
            Column("decisive_missing_or_stale", "integer", "Of these, those without a figure or with too old a one"),
            Column("decisive_ageing", "integer", "Of these, those that count although a newer figure is due"),
            Column("decidable_until", "date", "Last day on which the decisive evidence counts"),
            Column("known_at", "timestamp", "When the newest evidence became known, UTC"),
            Column(
                "fingerprint", "varchar", "Identity of the rules and of what was known; while it holds, so does the row"
            ),
        ),
    ),
    Table(
        "claim_evidence_history",
        "One row per claim, indicator and past month end: the evidence behind claim_history.",
        (
            Column("as_of", "date", "Month end"),
            Column("claim_id", "varchar", "Claim"),
            Column("indicator", "varchar", "Indicator"),
            Column("role", "varchar", "decisive or supporting"),
            Column("value", "double", "Value"),
            Column("unit", "varchar", "Unit"),
            Column("period", "date", "First day of the period the value is of"),
            Column("known_at", "timestamp", "When it became known, UTC"),
            Column("reading", "varchar", "supports, contradicts, neutral or missing"),
            Column("is_stale", "boolean", "Whether the value was too old to count"),
            Column("is_ageing", "boolean", "Whether a newer figure was due while it still counted"),
            Column("finding", "varchar", "The value in a sentence"),
        ),
    ),
    Table(
        "ppi_nowcast_history",
        "One row per past month end and month ahead: China's producer prices as ppi_nowcast forecast them from what "
        "was known by that day.",
        (
            Column("as_of", "date", "Month end"),
            Column("horizon_months", "integer", "Months from the last known month of producer prices to the target"),
            Column("origin_month", "date", "Last month of producer prices known then"),
            Column("target_month", "date", "Month that was forecast"),
            Column("no_change_pct", "double", "Producer prices of the origin month, on the year"),
            Column("forecast_pct", "double", "Forecast, on the year"),
            Column("forecast_lower_80_pct", "double", "Lower end of its 80 % band"),
            Column("forecast_upper_80_pct", "double", "Upper end of its band"),
            Column(
                "beats_no_change",
                "boolean",
                "Whether the errors known by then showed such forecasts to be better than no change",
            ),
            Column("known_at", "timestamp", "When the newest figure behind it became known, UTC"),
        ),
    ),
    Table(
        "bundle",
        "One row per bundle of figures that was loaded into this warehouse.",
        (
            Column("bundle_id", "varchar", "SHA-256 of the bundle's list of hashes (SHA256SUMS)"),
            Column("loaded_at", "timestamp", "When, UTC"),
        ),
    ),
    Table(
        "catalog_source",
        "One row per publisher or channel of the catalogue.",
        (
            Column("source_id", "varchar", "Identity"),
            Column("title", "varchar", "Title"),
            Column("publisher", "varchar", "Publisher"),
            Column("group_name", "varchar", "Group in the asset graph"),
            Column("homepage", "varchar", "Page for people"),
            Column("licence", "varchar", "Licence"),
            Column("licence_class", "varchar", "What the terms allow, by class"),
            Column("credit", "varchar", "Credit line"),
            Column("terms", "varchar", "What the terms mean for a user"),
            Column("cadence_hours", "double", "Shortest time between two checks, in hours"),
            Column("unofficial", "boolean", "Whether the channel is not the publisher's own"),
            Column("description", "varchar", "Description"),
            Column("parser_has_read", "varchar", "Which real answers its parser has read, and of which day"),
            Column("defined_in", "varchar", "project, or overlay for an entry of the user's own"),
        ),
    ),
    Table(
        "catalog_series",
        "One row per series of the catalogue.",
        (
            Column("series_id", "varchar", "Identity"),
            Column("source_id", "varchar", "Source"),
            Column("title", "varchar", "Title"),
            Column("publisher", "varchar", "Office that produces the figure"),
            Column("unit", "varchar", "Unit as published"),
            Column("frequency", "varchar", "Frequency"),
            Column("metal_id", "varchar", "Metal, where it is about one"),
            Column("plausible_low", "double", "Lower end of the plausible range, in the unit"),
            Column("plausible_high", "double", "Upper end of the plausible range, in the unit"),
            Column("publication_lag_days", "integer", "Days from period end to publication"),
            Column("staleness_limit_days", "integer", "Longest normal age of the newest period's end, in days"),
            Column(
                "first_period", "date", "First period that models read, where earlier ones are another construction"
            ),
            Column("rewritten_since", "date", "Day from which files hold another construction over all periods"),
            Column("licence", "varchar", "Licence"),
            Column("history", "varchar", "stable or revised"),
            Column("bundle", "boolean", "Whether its figures ship with the project"),
            Column("description", "varchar", "Description"),
            Column("defined_in", "varchar", "project, or overlay for an entry of the user's own"),
        ),
    ),
    Table(
        "catalog_company",
        "One row per company whose filings are read.",
        (
            Column("company_id", "varchar", "Identity (ticker)"),
            Column("name", "varchar", "Name"),
            Column("role", "varchar", "hyperscaler, aluminium, lithium, copper"),
            Column("fiscal_year_end", "varchar", "End of the fiscal year, MM-DD"),
            Column("filing_lag_days", "integer", "Longest normal time from quarter end to filing, in days"),
            Column("description", "varchar", "Description"),
            Column("defined_in", "varchar", "project, or overlay for an entry of the user's own"),
        ),
    ),
    Table(
        "catalog_company_tag",
        "One row per company, CIK, concept and XBRL tag, in order of preference.",
        (
            Column("company_id", "varchar", "Identity (ticker)"),
            Column("cik", "bigint", "Central Index Key"),
            Column("valid_from", "date", "First day of the CIK for this company"),
            Column("valid_to", "date", "Last day of the CIK for this company"),
            Column("concept", "varchar", "What is measured"),
            Column("taxonomy", "varchar", "Taxonomy of the tag"),
            Column("tag", "varchar", "XBRL element name"),
            Column("tag_rank", "integer", "1 is preferred"),
        ),
    ),
    Table(
        "catalog_indicator",
        "One row per indicator and series that can stand for it, in order of preference.",
        (
            Column("indicator_id", "varchar", "Identity"),
            Column("title", "varchar", "Title"),
            Column("unit", "varchar", "Unit of the indicator"),
            Column("frequency", "varchar", "Frequency"),
            Column("candidate_rank", "integer", "1 is the default, higher ones are fallbacks"),
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("factor", "double", "Brings the series to the unit and sign of the indicator"),
            Column("tolerance_pct", "double", "Largest difference between candidates, per cent of the figure"),
            Column("tolerance_absolute", "double", "Difference below which the per cent does not matter, in the unit"),
            Column("description", "varchar", "Description"),
        ),
    ),
    Table(
        "catalog_correction",
        "One row per correction of the catalogue: a figure that is published and wrong, or strange and right. "
        "Raw rows stay as published; models read them as corrected.",
        (
            Column("correction_id", "varchar", "Identity"),
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("period", "date", "First day of the reference period"),
            Column("action", "varchar", "drop, override, flag, or accept (a break with what was known is right)"),
            Column("published", "double", "What the publisher must still say for it to apply; null: nothing"),
            Column("corrected", "double", "The figure used in its place, in the unit of the series"),
            Column("known_on", "date", "Day from which it was known"),
            Column("reason", "varchar", "Why"),
            Column("reference", "varchar", "Who said so"),
            Column("defined_in", "varchar", "project, or overlay for an entry of the user's own"),
        ),
    ),
    Table(
        "catalog_record_correction",
        "One row per correction of the catalogue of a fact (and CIK of its company) or of a document that is published "
        "and wrong. Raw rows stay as published; models read them as corrected.",
        (
            Column("correction_id", "varchar", "Identity"),
            Column("cik", "bigint", "Central Index Key of the filer"),
            Column("taxonomy", "varchar", "Taxonomy of the tag"),
            Column("tag", "varchar", "XBRL element name"),
            Column("unit", "varchar", "Unit of measure, e.g. USD"),
            Column("period_start", "date", "First day of the duration; null for an instant"),
            Column("period_end", "date", "Last day of the duration, or the instant"),
            Column("accession", "varchar", "Accession number of the filing; null for every filing that states it"),
            Column("document_number", "varchar", "Federal Register document number"),
            Column(
                "action", "varchar", "drop, override, flag, or accept (what an answer no longer states is withdrawn)"
            ),
            Column("published", "double", "The value as filed to which it applies"),
            Column("corrected", "double", "The value used in its place, in the unit of the fact"),
            Column("known_on", "date", "Day from which it was known"),
            Column("reason", "varchar", "Why"),
            Column("reference", "varchar", "Who said so"),
            Column("defined_in", "varchar", "project, or overlay for an entry of the user's own"),
        ),
    ),
    Table(
        "catalog_claim",
        "One row per claim of the user's own (claims.yaml of the overlay).",
        (
            Column("claim_id", "varchar", "Identity"),
            Column("name", "varchar", "Short name"),
            Column("statement", "varchar", "What is claimed"),
            Column("what_would_change_it", "varchar", "Events that would change the verdict, in words"),
        ),
    ),
    Table(
        "catalog_claim_indicator",
        "One row per indicator of a claim of the user's own, with its rule.",
        (
            Column("claim_id", "varchar", "Claim"),
            Column("indicator", "varchar", "Identity within the claim"),
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("transformation", "varchar", "level, change, change_pct, zscore or percentile"),
            Column("months", "integer", "Months of the change, or of the window"),
            Column("role", "varchar", "decisive or supporting"),
            Column("comparison", "varchar", "gt, gte, lt, lte or between"),
            Column("threshold", "double", "Value to compare with, in `unit`"),
            Column("threshold_high", "double", "Upper bound of between"),
            Column("contradiction_threshold", "double", "At or beyond it the value contradicts; null: where it fails"),
            Column("unit", "varchar", "Unit of the value"),
            Column("decimals", "integer", "Decimals with which it is shown and compared"),
            Column("tolerated_days", "integer", "Days that a figure counts after a newer one was due"),
            Column("label", "varchar", "The indicator in words"),
            Column("reason", "varchar", "Why this threshold"),
            Column("reference", "varchar", "Source of the reason"),
        ),
    ),
    Table(
        "catalog_release",
        "One row per series and period whose day of release is known to differ from the series' publication lag.",
        (
            Column("series_id", "varchar", "Series of the catalogue"),
            Column("period", "date", "First day of the reference period"),
            Column("released_on", "date", "Day of release"),
            Column("reason", "varchar", "Why it differs"),
            Column("reference", "varchar", "Where the day is stated"),
        ),
    ),
    Table(
        "catalog_metal",
        "One row per metal (or bulk or energy commodity beside them).",
        (
            Column("metal_id", "varchar", "Identity"),
            Column("name", "varchar", "Name"),
            Column("symbol", "varchar", "Symbol"),
            Column("family", "varchar", "base, precious, platinum_group, battery, bulk, energy"),
            Column("description", "varchar", "Description"),
        ),
    ),
)


def define_tables(connection: duckdb.DuckDBPyConnection, *, commented: bool = True) -> None:
    """Create the raw tables with their comments, or add to those of an earlier version what they lack.

    The comments are two thirds of the time.
    """
    have = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'raw' and database_name = current_database()"
    ).fetchall()
    steps = ["create schema if not exists raw"]
    for table in TABLES:
        name = f"raw.{table.name}"
        if (table.name,) in have:
            steps += [f'alter table {name} add column if not exists "{c.name}" {c.type}' for c in table.columns]
        else:
            columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
            steps.append(f"create table {name} ({columns})")
        if commented:
            steps.append(f"comment on table {name} is '{quoted(table.description)}'")
            steps += [f"comment on column {name}.\"{c.name}\" is '{quoted(c.description)}'" for c in table.columns]
    with transaction(connection):  # each statement would otherwise be written to disk
        connection.execute("; ".join(steps))
