"""One module per publisher, with two pure functions: `plan` (the requests) and `parse` (bytes to typed frames).

A module knows only the URLs and formats of its publisher: it opens no connection, reads no clock and writes no file.
Fetching belongs to `landing`, storing to `ingest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import import_module, util
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, cast

import polars as pl

from pipelines import columns
from pipelines.catalog import Catalog
from pipelines.errors import CatalogError

OBSERVATION = columns.schema("observation")
FILING_FACT = columns.schema("filing_fact")
FILING = columns.schema("filing")
POLICY_DOCUMENT = columns.schema("policy_document")
TARIFF_RELEASE = columns.schema("tariff_release")
REJECT = {"series_id": pl.String, "row": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class Expect:
    """Conditions that a response must meet before it is landed, because status 200 alone proves nothing.

    Content-Type is not among them: publishers send JSON as text/plain and workbooks as octet-stream.
    """

    starts_with: tuple[bytes, ...]  # accepted first bytes, after a BOM and white space; a page only where one has "<"
    contains: tuple[bytes, ...] = ()  # all of these occur in the first 64 KiB


@dataclass(frozen=True)
class Request:
    """One request. `key` identifies the requested data (not the URL) and is stable over time."""

    key: str
    url: str
    expect: Expect
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # sent by POST; its content type is in `headers`
    land: bool = True  # False: a page that is only read to find the next link
    closed: bool = False  # from now on the response no longer changes: not fetched again once landed
    key_parameter: str | None = None  # URL parameter for the API key (Source.key); not in `url` or `params`
    absent_ok: bool = False  # 404 and 204 are valid responses: there is no such resource (a day without trading)
    then: Callable[[bytes], list[Request]] | None = None  # further requests that follow from the response


@dataclass(frozen=True)
class Parsed:
    """Typed rows of one payload. Frames have exactly the columns above; `rejects` are rows that could not be read.

    `whole` names raw tables of which the payload states every row that the publisher has under its request key: a row
    that it no longer states is withdrawn.
    """

    observations: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OBSERVATION))
    filing_facts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FILING_FACT))
    filings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FILING))
    policy_documents: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=POLICY_DOCUMENT))
    tariff_releases: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TARIFF_RELEASE))
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECT))
    missing: Mapping[str, int] = field(default_factory=dict)  # series: cells that hold a missing-value marker
    whole: frozenset[str] = frozenset()


class SourceModule(Protocol):
    """The two functions of every module of this package."""

    def plan(self, catalog: Catalog, today: date) -> list[Request]:
        """The requests of one run, in order."""

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        """Rows of the payload landed under request `key`. Raises BadPayload for an unexpected format."""


def module(source_id: str) -> SourceModule:
    """The module of a source of the project; its file is named after the source's id."""
    return import_module(f"pipelines.sources.{source_id}")


def modules(catalog: Catalog) -> Callable[[str], SourceModule]:
    """Finds the module of a source of `catalog`: the user's own in the overlay, or the project's."""

    def found(source_id: str) -> SourceModule:
        if catalog.overlay and catalog.defined_in(catalog.sources[source_id]) == "overlay":
            return _own(catalog.overlay / "sources" / f"{source_id}.py")
        return module(source_id)

    return found


@cache
def _own(path: Path) -> SourceModule:
    """The module in a file outside the package. Raises CatalogError if it cannot be imported or lacks a function."""
    spec = util.spec_from_file_location(f"overlay_source_{path.stem}", path)
    try:
        if spec is None or spec.loader is None:
            raise ImportError("not a Python file")
        found: Any = util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return cast(SourceModule, SimpleNamespace(plan=found.plan, parse=found.parse))
    except Exception as error:  # whatever the user's file raises
        raise CatalogError(f"{path}: {type(error).__name__}: {error}", todo="docs/adding_a_source.md") from error


# Exceptions of json.loads for a body that is not JSON, or is nested too deeply.
NOT_JSON = (ValueError, RecursionError)

MISSING_MARKERS = frozenset({"", ".", "..", "...", "…", "null", "NA", "N/A", "n/a", "-", "--", "—", "W", "XX", "NaN"})


def printed_decimals(text: str) -> int:
    """Digits after the point in a number as printed ("7.50" has 2, "7" has 0, "1e-3" has 3)."""
    mantissa, _, exponent = text.strip().lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    return max(digits - int(exponent or 0), 0)
