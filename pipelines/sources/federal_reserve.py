"""Federal Reserve Board release archives: one zip per statistical release, with one SDMX-XML file of all its series.

The file is parsed as a stream that keeps only the catalogued series: G.17 unzips to over 100 MB. URLs follow the links
on the release pages; the Board is retiring its other download program.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from typing import Any
from xml.parsers import expat

import polars as pl

from pipelines.catalog import Catalog, Frequency, Series
from pipelines.errors import BadPayload
from pipelines.sources import REJECT, Expect, Parsed, Request, _cells

SOURCE = "federal_reserve"
URL = "https://www.federalreserve.gov/releases/{rel}/data/FRB_{rel}_xml.zip"
MAX_XML_BYTES = 600_000_000  # the largest release of the Board, which is not read here, has 590 MB
CHUNK_BYTES = 1 << 20

# FREQ as printed, by the frequency of the catalogue. 8 is every day of the week, 9 every business day.
FREQUENCY_CODES = {
    Frequency.DAILY: frozenset({"8", "9"}),
    Frequency.MONTHLY: frozenset({"129"}),
    Frequency.QUARTERLY: frozenset({"162"}),
}
FIGURE = "A"
NO_FIGURE = ("ND", "NA", "NC")  # no data, not available, not calculable: OBS_VALUE is then a placeholder

ARCHIVE = Expect(
    starts_with=(b"PK",),  # a removed URL returns an HTML page
)

OBS = {
    "series_id": pl.String,
    "period_text": pl.String,
    "text": pl.String,
    "status": pl.String,
}


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per release that has a catalogued series."""
    releases = dict.fromkeys(str(series.select["release"]) for series in catalog.series_of(SOURCE))
    return [Request(key=release, url=URL.format(rel=release.lower()), expect=ARCHIVE) for release in releases]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Figures of the catalogued series of one release, in their own unit; `period` is the first day of the period.

    The Board dates a month or a quarter to its last day, so a date that ends no period of the series' frequency is
    rejected. A status other than `A` marks a placeholder and is counted as missing.

    A SERIES_NAME can occur in several groups of a release, and with several frequencies. `select` gives the frequency;
    in duplicates, equal observations count once and different ones are rejected. A series that is absent, or has a unit
    other than that of `select` (a rebased index), is one reject, for that series alone; it is not rejected if another
    entry of the catalogue reads the same name in the unit found.

    Raises BadPayload if the body is not a zip archive, if its XML is missing, too large, broken or declares entities,
    if none of the catalogued names is in it, or if no catalogued series reads the release.
    """
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["release"] == key]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    reader = _Reader(wanted)
    _stream(body, key, reader)
    if not reader.names_found:
        raise BadPayload(
            f"{key} has none of the {len(wanted)} catalogued series",
            source=SOURCE,
            todo="compare SERIES_NAME in the archive with pipelines/catalog/series/federal_reserve.yaml",
        )

    observations = (
        pl.DataFrame(reader.observations, schema=OBS, orient="row")
        .unique(maintain_order=True)
        .pipe(_with_cells, wanted)
    )
    unknown = pl.col("status") != FIGURE
    parsed = _cells.read(observations.filter(~unknown | pl.col("status").is_in(NO_FIGURE)))
    odd = observations.filter(unknown & ~pl.col("status").is_in(NO_FIGURE)).select(
        "series_id", "row", reason=pl.format("OBS_STATUS '{}' is not known here", "status")
    )
    absent = [
        _cells.rejected(series.id, key, problem) for series in wanted if (problem := _problem(series, wanted, reader))
    ]
    return Parsed(
        observations=parsed.observations,
        rejects=pl.concat([*absent, odd.select(REJECT.keys()), parsed.rejects]),
        missing=parsed.missing,
    )


def _with_cells(frame: pl.DataFrame, wanted: list[Series]) -> pl.DataFrame:
    """Columns of `_cells.CELL` (and `status`), the period taken from its last day."""
    frequencies = pl.DataFrame(
        {"series_id": [series.id for series in wanted], "frequency": [str(series.frequency) for series in wanted]}
    )
    day = pl.col("day")
    ends_month = day == day.dt.month_end()
    return (
        frame.join(frequencies, on="series_id", how="left", maintain_order="left")
        .with_columns(day=pl.col("period_text").str.to_date("%Y-%m-%d", strict=False))
        .select(
            "series_id",
            "period_text",
            pl.when(pl.col("frequency") == str(Frequency.DAILY))
            .then(day)
            .when((pl.col("frequency") == str(Frequency.MONTHLY)) & ends_month)
            .then(day.dt.month_start())
            .when((pl.col("frequency") == str(Frequency.QUARTERLY)) & ends_month & (day.dt.month() % 3 == 0))
            .then(day.dt.month_start().dt.offset_by("-2mo"))
            .alias("period"),
            pl.when(pl.col("status").is_in(NO_FIGURE)).then(None).otherwise(pl.col("text")).alias("text"),
            pl.lit(None, dtype=pl.Float64).alias("number"),
            pl.format("{} at {}", "series_id", pl.col("period_text").fill_null("no TIME_PERIOD")).alias("row"),
            "status",
        )
    )


class _Reader:
    """Collects the observations of the wanted series from the XML stream; everything else is skipped.

    Elements are matched by local name, because every group has its own namespace.
    """

    def __init__(self, wanted: list[Series]) -> None:
        self._wanted: dict[str, list[Series]] = {}
        for series in wanted:
            self._wanted.setdefault(str(series.select["series_name"]), []).append(series)
        self._current: list[Series] = []
        self.observations: list[tuple[str, str | None, str | None, str | None]] = []
        self.names_found: set[str] = set()
        self.series_found: set[str] = set()
        self.units_found: dict[str, set[str]] = {}  # printed units of a matching name and frequency, by series id

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Called at the start of every element, over a million times in G.17; ends of elements are not needed."""
        if name.endswith("Obs"):
            for series in self._current:
                observation = (
                    attributes.get("TIME_PERIOD"),
                    attributes.get("OBS_VALUE"),
                    attributes.get("OBS_STATUS", ""),
                )
                self.observations.append((series.id, *observation))
        elif name.endswith("Series"):
            named = self._wanted.get(attributes.get("SERIES_NAME", ""), [])
            if named:
                self.names_found.add(attributes["SERIES_NAME"])
            self._current = [series for series in named if self._fits(series, attributes)]
        elif name.endswith("DataSet"):
            self._current = []

    def _fits(self, series: Series, attributes: dict[str, str]) -> bool:
        frequency = attributes.get("FREQ", "")
        if frequency != str(series.select["freq"]) or frequency not in FREQUENCY_CODES.get(series.frequency, ()):
            return False
        unit = _unit(attributes.get("UNIT", ""), attributes.get("UNIT_MULT", ""))
        self.units_found.setdefault(series.id, set()).add(unit)
        if "unit" in series.select and unit != _unit(str(series.select["unit"]), str(series.select["unit_mult"])):
            return False
        self.series_found.add(series.id)
        return True


def _unit(name: str, multiple: str) -> str:
    """A unit with its multiplier as a plain number: the archives print a billion as 1e+09."""
    try:
        return f"{name} x {float(multiple):g}"
    except ValueError:
        return f"{name} x '{multiple}'"


def _problem(series: Series, wanted: list[Series], reader: _Reader) -> str | None:
    """Why the archive has no data for the series; None if it has, or if another entry reads the unit found."""
    if series.id in reader.series_found:
        return None
    name, frequency = series.select["series_name"], series.select["freq"]
    units = reader.units_found.get(series.id)
    if units:
        elsewhere = any(
            other.id in reader.series_found
            for other in wanted
            if (other.select["series_name"], other.select["freq"]) == (name, frequency)
        )
        asked = _unit(str(series.select["unit"]), str(series.select["unit_mult"]))
        return None if elsewhere else f"{name} is in {', '.join(sorted(units))}, not in {asked}"
    if name in reader.names_found:
        return f"{name} does not stand there with FREQ {frequency}"
    return f"no series {name}"


def _stream(body: bytes, release: str, reader: _Reader) -> None:
    """Unzip and parse in chunks. Entities cannot occur, because any document type declaration is refused."""

    def refuse_doctype(*_: Any) -> None:
        raise BadPayload(f"{release}: the XML declares a document type", source=SOURCE)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = refuse_doctype
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            _feed(archive, _data_member(archive, release), release, parser.Parse)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadPayload(f"{release}: not a readable zip archive: {error}", source=SOURCE) from None
    except expat.ExpatError as error:
        raise BadPayload(f"{release}: not readable as XML: {error}", source=SOURCE) from None


def _data_member(archive: zipfile.ZipFile, release: str) -> zipfile.ZipInfo:
    named = [info for info in archive.infolist() if info.filename.lower() == f"{release.lower()}_data.xml"]
    if len(named) != 1:
        raise BadPayload(
            f"the archive has {len(named)} files {release}_data.xml among {len(archive.infolist())}", source=SOURCE
        )
    if named[0].file_size > MAX_XML_BYTES:
        raise BadPayload(
            f"{named[0].filename} says it unzips to {named[0].file_size} bytes, more than {MAX_XML_BYTES}",
            source=SOURCE,
        )
    return named[0]


def _feed(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, release: str, feed: Callable[[bytes, bool], object]
) -> None:
    size = 0
    with archive.open(member) as xml:
        while chunk := xml.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_XML_BYTES:  # regardless of the size in the archive's directory
                raise BadPayload(f"{release}: unzips to more than {MAX_XML_BYTES} bytes", source=SOURCE)
            feed(chunk, False)
    feed(b"", True)
