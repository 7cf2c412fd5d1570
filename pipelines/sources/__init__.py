"""What a publisher's module is: `plan` (what to ask) and `parse` (bytes to typed frames), both pure.

A module in this package knows one publisher's addresses and formats and nothing else: it opens no
connection, reads no clock, writes no file. `landing` asks, `ingest` stores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from typing import Protocol

import polars as pl

from pipelines import columns
from pipelines.catalog import Catalog

OBSERVATION = columns.schema("observation")
FILING_FACT = columns.schema("filing_fact")
FILING = columns.schema("filing")
POLICY_DOCUMENT = columns.schema("policy_document")
TARIFF_RELEASE = columns.schema("tariff_release")
REJECT = {"series_id": pl.String, "row": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class Expect:
    """What a response must look like before it is landed; status 200 alone proves nothing."""

    content_types: tuple[str, ...]  # accepted prefixes of Content-Type, lower case
    starts_with: tuple[bytes, ...]  # accepted first bytes, after a BOM and white space
    contains: tuple[bytes, ...] = ()  # all of these stand in the first 64 KiB


@dataclass(frozen=True)
class Request:
    """One thing to ask a publisher for. `key` names the thing (not the address), and is stable over time."""

    key: str
    url: str
    expect: Expect
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # sent by POST; its type stands in `headers`
    land: bool = True  # False: a page that is only read for the next link
    closed: bool = False  # its answer no longer changes: not asked again once landed
    key_parameter: str | None = None  # under which the user's key is sent (Source.key); no address here ever holds it
    absent_ok: bool = False  # 404 says that there is no such thing (a day without trading), which is an answer
    then: Callable[[bytes], list[Request]] | None = None  # further requests that this answer calls for


@dataclass(frozen=True)
class Parsed:
    """Typed rows of one payload. Frames have exactly the columns above; `rejects` are rows that could not be read."""

    observations: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OBSERVATION))
    filing_facts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FILING_FACT))
    filings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FILING))
    policy_documents: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=POLICY_DOCUMENT))
    tariff_releases: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TARIFF_RELEASE))
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECT))
    missing: Mapping[str, int] = field(default_factory=dict)  # series: cells that hold a missing-value marker


class SourceModule(Protocol):
    """The two functions every module of this package offers."""

    def plan(self, catalog: Catalog, today: date) -> list[Request]:
        """The requests of one check, in order."""

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        """Rows of the payload landed under request `key`. Raises BadPayload when the shape is not the publisher's."""


def module(source_id: str) -> SourceModule:
    """The module of a catalogued source; its file bears the source's id."""
    return import_module(f"pipelines.sources.{source_id}")


# What json.loads raises for a body that is no JSON: also one that is nested too deep for any of ours.
NOT_JSON = (ValueError, RecursionError)

MISSING_MARKERS = frozenset({"", ".", "..", "...", "…", "null", "NA", "N/A", "n/a", "-", "--", "—", "W", "XX", "NaN"})


def printed_decimals(text: str) -> int:
    """Digits after the point in a number as printed ("7.50" has 2, "7" has 0, "1e-3" has 3)."""
    mantissa, _, exponent = text.strip().lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    return max(digits - int(exponent or 0), 0)
