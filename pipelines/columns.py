"""Columns of the raw tables that hold published data: type, meaning and key. The only place where they are defined.

Parsers produce frames of these columns, contracts check them, and DDL, column comments and the data dictionary are
derived from them. Checks and tables do not belong here; columns that ingest adds (such as `known_at`) are in
`warehouse.tables`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """A column as parsers produce it; `nullable` where a publisher may leave it empty."""

    type: type[pl.DataType]
    description: str
    nullable: bool = False


OBSERVATION = {
    "series_id": Column(pl.String, "Series of the catalogue"),
    "period": Column(pl.Date, "First day of the reference period"),
    "value": Column(pl.Float64, "Figure in the series' own unit, as published"),
    "decimals": Column(pl.Int16, "Digits the payload prints after the point; null where it prints none", nullable=True),
}

FILING_FACT = {
    "cik": Column(pl.Int64, "Central Index Key of the filer"),
    "taxonomy": Column(pl.String, "us-gaap, ifrs-full, dei, ..."),
    "tag": Column(pl.String, "XBRL element name"),
    "unit": Column(pl.String, "Unit of measure, e.g. USD"),
    "period_start": Column(pl.Date, "First day of the duration; null for an instant", nullable=True),
    "period_end": Column(pl.Date, "Last day of the duration, or the instant"),
    "value": Column(pl.Float64, "Value as filed, in `unit`"),
    "accession": Column(pl.String, "Accession number of the filing that carries the fact"),
    "form": Column(pl.String, "Form type of that filing, e.g. 10-K"),
    "filed": Column(pl.Date, "Day of filing"),
    "fiscal_year": Column(pl.Int16, "Fiscal year of the filing, not of the fact", nullable=True),
    "fiscal_period": Column(pl.String, "Fiscal period of the filing, not of the fact", nullable=True),
}

FILING = {
    "cik": Column(pl.Int64, "Central Index Key of the filer"),
    "accession": Column(pl.String, "Accession number of the filing"),
    "form": Column(pl.String, "Form type, e.g. 10-K"),
    "filing_date": Column(pl.Date, "Day of filing"),
    "report_date": Column(pl.Date, "Last day of the period reported on", nullable=True),
    "acceptance_datetime": Column(
        pl.String, "Time of acceptance as printed; its zone is not certain (Eastern time or UTC)", nullable=True
    ),
    "primary_document": Column(pl.String, "File name of the main document", nullable=True),
}

POLICY_DOCUMENT = {
    "document_number": Column(pl.String, "Federal Register document number"),
    "topic": Column(pl.String, "Topic of the catalogue under which it was found"),
    "type": Column(pl.String, "Rule, Proposed Rule, Notice, Presidential Document", nullable=True),
    "subtype": Column(pl.String, "e.g. proclamation, executive_order", nullable=True),
    "title": Column(pl.String, "Title as published"),
    "agencies": Column(pl.String, "Agencies, by slug, joined by '; '", nullable=True),
    "publication_date": Column(pl.Date, "Day of publication"),
    "signing_date": Column(pl.Date, "Day of signing", nullable=True),
    "effective_on": Column(pl.Date, "Day of legal effect as stated", nullable=True),
    "citation": Column(pl.String, "Federal Register citation", nullable=True),
    "executive_order_number": Column(pl.String, "Executive order number", nullable=True),
    "proclamation_number": Column(pl.String, "Proclamation number", nullable=True),
    "html_url": Column(pl.String, "Page of the document", nullable=True),
}

TARIFF_RELEASE = {
    "release_id": Column(pl.String, "Name of the release, e.g. 2026HTSRev4; with its first day where several have it"),
    "title": Column(pl.String, "Title as published", nullable=True),
    "status": Column(pl.String, "Status as published, e.g. current, archive"),
    "release_start_date": Column(
        pl.Date, "First day of the release as published; not the day on which a duty takes legal effect", nullable=True
    ),
}

# What a live check finds, worst first.
LIVE_STATES = {
    "not_reached": "no usable answer",
    "blocked": "the publisher turned this client away",
    "moved": "nothing at the address any more, or another one answered",
    "drifted": "series, units or the whole answer are not as the parser expects",
    "frozen": "no figure within its staleness limit",
    "changed": "columns or labels differ, and every series is read",
    "good": "as expected",
    "not_asked": "switched off, no key, or offline",
}
# Written by the pipeline itself, not by a parser.
LIVE_CHECK = {
    "source_id": Column(pl.String, "Source of the catalogue"),
    "checked_at": Column(pl.Datetime, "When, UTC"),
    "state": Column(pl.String, "; ".join(f"{state} ({meaning})" for state, meaning in LIVE_STATES.items())),
    "finding": Column(pl.String, "What differs, worst first; null where nothing does", nullable=True),
    "request_key": Column(pl.String, "What was asked for", nullable=True),
    "url": Column(pl.String, "Address that was asked, without secrets", nullable=True),
    "status": Column(pl.Int16, "HTTP status", nullable=True),
    "content_type": Column(pl.String, "Content-Type header", nullable=True),
    "bytes": Column(pl.Int64, "Size in bytes", nullable=True),
    "seconds": Column(pl.Float64, "Duration of the request in seconds", nullable=True),
    "payload_id": Column(pl.String, "SHA-256 of the answer, which is not kept", nullable=True),
    "series_wanted": Column(pl.Int64, "Series that this request is made for", nullable=True),
    "series_found": Column(pl.Int64, "Of these, those in the answer", nullable=True),
    "rows": Column(pl.Int64, "Usable rows in the answer", nullable=True),
    "newest_period": Column(pl.Date, "First day of its newest period, or newest day of a record", nullable=True),
    "compared_with": Column(pl.String, "SHA-256 of the landed payload it was compared with", nullable=True),
}

RAW = {
    "observation": OBSERVATION,
    "filing_fact": FILING_FACT,
    "filing": FILING,
    "policy_document": POLICY_DOCUMENT,
    "tariff_release": TARIFF_RELEASE,
}
# The columns that identify a row, besides the time at which it became known.
KEYS = {
    "observation": ("series_id", "period"),
    "filing_fact": ("cik", "taxonomy", "tag", "unit", "period_start", "period_end", "accession"),
    "filing": ("cik", "accession"),
    "policy_document": ("document_number", "topic"),
    "tariff_release": ("release_id",),
}


def schema(table: str) -> dict[str, type[pl.DataType]]:
    """The schema of a parser's frame: the columns, and `row`, the row's position in the payload."""
    return {name: column.type for name, column in RAW[table].items()} | {"row": pl.String}
