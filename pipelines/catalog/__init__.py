"""The typed catalogue: one entry per source, series, company and so on, and the only loader of its YAML files.

A series of a known publisher is one entry in one file under `series/`; asset, contract, staleness rule, licence and
dictionary row are derived from it. An incomplete entry is an error that names the file and the entry. Fetching and
parsing do not belong here.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.errors import CatalogError

# Both are safe loaders; the C one, where PyYAML has it, takes a seventh of the time.
_SAFE_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SAFE_LOADER):  # type: ignore[valid-type, misc]
    """Rejects a duplicate key in a mapping: YAML forbids it, and the parser silently keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for name, _ in node.value:
            if name.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key '{name.value}'", name.start_mark)
            seen.add(name.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUAL = "annual"
    US_FISCAL_YEAR = "us_fiscal_year"  # October to September; named after the year in which it ends


class LicenceClass(StrEnum):
    """What a publisher's terms allow (see the terms page in docs/)."""

    PUBLIC_DOMAIN = "public_domain"
    ATTRIBUTION = "attribution"
    AGGREGATOR = "aggregator"
    OFFICIAL_FIGURES = "official_figures_over_unofficial_channel"
    PERSONAL_USE = "personal_use"


class History(StrEnum):
    """Whether published figures are routinely revised.

    `stable`: a backfilled figure counts as known from period end + publication lag.
    `revised`: a backfilled figure is a later vintage, so it counts as known only from the day it was retrieved.
    """

    STABLE = "stable"
    REVISED = "revised"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fidelity(StrEnum):
    """What the parser of a source has read, at best.

    `native`: whole answers, byte for byte. `excerpt`: parts of answers, or answers that were re-written in their own
    format with the values untouched. `documented`: none, only figures made up in the documented format.
    """

    NATIVE = "native"
    EXCERPT = "excerpt"
    DOCUMENTED = "documented"


class Proven(_Entry):
    """Whether the parser of a source has met real answers."""

    by: Fidelity
    newest: date | None = Field(default=None, description="Day of the newest such answer")
    part: str | None = Field(default=None, description="What of the source it was, where it was not all of it")

    @model_validator(mode="after")
    def _an_answer_has_a_day(self) -> Self:
        if (self.newest is None) != (self.by is Fidelity.DOCUMENTED):
            raise ValueError("'newest' is the day of a real answer: native and excerpt need it, documented has none")
        return self

    @property
    def said(self) -> str:
        """In a sentence without a full stop."""
        if self.newest is None:
            return "no real answer yet: written from the documented format"
        what = "whole answers" if self.by is Fidelity.NATIVE else "excerpts of answers"
        return f"{what}, the newest of {self.newest}" + (f"; {self.part}" if self.part else "")


class Source(_Entry):
    """One publisher (or channel): its terms, hosts, limits and pacing."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    publisher: str
    group: str = Field(
        pattern=r"^(prices|filings|macro|trade_policy|trade_flows|power|minerals|positioning)$",
        description="Group in the asset graph",
    )
    homepage: str
    licence: str
    licence_class: LicenceClass
    credit: str = Field(description="The credit line to show wherever its figures are shown")
    terms: str = Field(description="What the terms mean for a user of this warehouse, in a sentence")
    hosts: list[str] = Field(min_length=1, description="The only hosts that requests and redirects may go to")
    cadence_hours: float = Field(gt=0, description="Not fetched again within this time after a success")
    requests_per_second: float = Field(gt=0, le=10)
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers of every request; {contact} stands for the user's contact"
    )
    day_ends: str = Field(
        pattern=r"^([01]\d|2[0-4]):[0-5]\d [A-Za-z_/]+$",
        description="Time and zone at which a day of its figures has ended, e.g. the close of a session",
    )
    max_body_mb: float = Field(gt=0)
    min_body_bytes: int = Field(gt=0)
    max_bad_share: float = Field(ge=0, lt=1, description="Above this share of quarantined rows the payload is refused")
    bundle: bool = Field(description="Whether the terms allow shipping its figures with the project")
    unofficial: bool = False
    switch: str | None = Field(default=None, description="Name of the setting that switches it on or off")
    proven: Proven = Field(description="What real answers the parser has met")
    key: str | None = Field(
        default=None, description="Name of the setting that holds the API key; without a key it is not fetched"
    )
    description: str

    @model_validator(mode="after")
    def _day_ends_in_a_known_zone(self) -> Self:
        try:
            ZoneInfo(self.day_ends.split()[1])
        except ZoneInfoNotFoundError as error:  # a KeyError
            raise ValueError(error.args[0]) from None
        return self

    def has_ended(self, series: Series, period: date, moment: datetime) -> bool:
        """Whether the period of `series` that starts on `period` had ended at `moment` (UTC, without a zone).

        A day ends at `day_ends`. A longer period ends with the beginning of its last day, on which purchasing managers'
        indices are published.
        """
        if series.frequency is not Frequency.DAILY:
            return series.period_end(period) <= moment.date()
        clock, zone = self.day_ends.split()
        hours, minutes = map(int, clock.split(":"))
        day = datetime.combine(period, time(), ZoneInfo(zone)) + timedelta(hours=hours, minutes=minutes)
        return day.astimezone(UTC).replace(tzinfo=None) <= moment


class Series(_Entry):
    """One series of a publisher, in the publisher's own unit."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    source: str
    title: str
    publisher: str = Field(description="The office that produces the figure (not the channel)")
    select: dict[str, Any] = Field(description="Where to find it in the publisher's response")
    unit: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Unit of the figure as published")
    frequency: Frequency
    plausible: tuple[float, float] = Field(description="Range outside which a figure is quarantined")
    publication_lag_days: int = Field(ge=0, description="Days from the end of the period to publication")
    staleness_limit_days: int = Field(gt=0, description="Maximum normal age of the newest period's end, days")
    first_period: date | None = Field(
        default=None, description="First period that models read; what is published before is another construction"
    )
    rewritten_since: date | None = Field(
        default=None, description="Day from which the publisher's files hold another construction over all periods"
    )
    licence: str
    history: History
    bundle: bool = True
    metal: str | None = None
    description: str

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Self:
        low, high = self.plausible
        if not low < high:
            raise ValueError(f"plausible range [{low}, {high}] is empty")
        return self

    def period_end(self, period: date) -> date:
        return period_end(period, self.frequency)


class Validity(_Entry):
    """A CIK and the days on which it was the company's."""

    cik: int = Field(gt=0)
    valid_from: date | None = None
    valid_to: date | None = None


class Company(_Entry):
    """A filer: its CIKs with validity, fiscal year end and, per concept, the ordered chain of tags."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9.]*$")
    name: str
    role: str = Field(description="hyperscaler, aluminium, lithium, copper")
    ciks: list[Validity] = Field(min_length=1)
    fiscal_year_end: str = Field(pattern=r"^\d{2}-\d{2}$", description="MM-DD")
    taxonomy: str = "us-gaap"
    concepts: dict[str, list[str]] = Field(description="concept: tags in order of preference, never summed")
    filing_lag_days: int = Field(gt=0, description="Maximum normal time from quarter end to filing, days")
    description: str

    @property
    def cik(self) -> int:
        """The CIK in force (the last one)."""
        return self.ciks[-1].cik


class Candidate(_Entry):
    """A series that can supply an indicator, and the factor that converts it to the indicator's unit and sign."""

    series: str
    factor: float = 1.0


class Indicator(_Entry):
    """A quantity that the models use, whichever source has it: the first candidate with the period is used."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    unit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    frequency: Frequency
    candidates: list[Candidate] = Field(min_length=1, description="The default first, then its fallbacks")
    tolerance_pct: float = Field(gt=0, description="Maximum difference between candidates, in per cent of the figure")
    tolerance_absolute: float = Field(ge=0, description="Difference in `unit` that is always within tolerance")
    description: str


class Metal(_Entry):
    id: str = Field(pattern=r"^[a-z][a-z_]*$")
    name: str
    symbol: str
    family: str = Field(description="base, precious, platinum_group, battery, bulk, energy")
    description: str


class Topic(_Entry):
    """One saved search for documents (not a series: its results are dated texts, not figures)."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    source: str
    title: str
    conditions: dict[str, str | list[str]] = Field(
        min_length=1, description="Search conditions in the publisher's own names, without the date window"
    )
    since: date = Field(description="First publication date that is searched")
    description: str

    @model_validator(mode="after")
    def _leaves_the_window_to_the_plan(self) -> Self:
        if "publication_date" in self.conditions:
            raise ValueError("publication_date is set by the plan, window by window")
        return self


class CorrectionAction(StrEnum):
    """The effect of a correction.

    `drop`: the figure is not used. `override`: another figure replaces it. `flag`: the figure is used and marked.
    `accept`: a break with the known figures (another unit, base or definition, or withdrawn figures) is correct.
    """

    DROP = "drop"
    OVERRIDE = "override"
    FLAG = "flag"
    ACCEPT = "accept"


class _Correction(_Entry):
    """What corrections of figures and of records have in common."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    action: CorrectionAction
    published: float | None = Field(default=None, description="The figure as published to which the correction applies")
    value: float | None = Field(default=None, description="The figure to use, in the same unit (override)")
    known_on: date = Field(description="Day on which this became known; as-of builds before it are not corrected")
    reason: str
    reference: str = Field(description="Its source: a notice, a page, a document")

    @model_validator(mode="after")
    def _has_a_value_to_override_with(self) -> Self:
        if (self.value is not None) != (self.action is CorrectionAction.OVERRIDE):
            raise ValueError(f"a value belongs to an override, and to nothing else (action {self.action})")
        return self


class Correction(_Correction):
    """A published figure that is wrong, or correct but unusual: how it is treated, since when, and by which source."""

    series: str
    period: date = Field(description="First day of the reference period")
    published: float | None = Field(
        description="The published figure to which the correction applies; null where none must be published"
    )

    @model_validator(mode="after")
    def _has_the_figure_it_is_about(self) -> Self:
        if self.published is None and self.action is not CorrectionAction.FLAG:
            raise ValueError(f"action {self.action} needs the published figure that it is about")
        return self


class FactKey(_Entry):
    """A fact of a filing, as the SEC names it; without an accession number, in every filing that states it."""

    company: str
    tag: str
    unit: str = "USD"
    period_start: date | None = None
    period_end: date
    accession: str | None = Field(default=None, pattern=r"^\d{10}-\d{2}-\d{6}$")


class RecordCorrection(_Correction):
    """A fact of a filing or a document that is published but wrong: as Correction, for what is no figure of a series.

    `accept`: an answer that states this fact may withdraw as many others as it does.
    """

    fact: FactKey | None = None
    document: str | None = Field(default=None, description="Document number")

    @model_validator(mode="after")
    def _has_what_it_is_about(self) -> Self:
        if (self.fact is None) == (self.document is None):
            raise ValueError("a correction is of a fact or of a document")
        if self.document and self.action not in (CorrectionAction.DROP, CorrectionAction.FLAG):
            raise ValueError(f"a document can be dropped or flagged (action {self.action})")
        if (self.published is None) != (self.fact is None):
            raise ValueError("a fact needs the published value that it is about, and a document has none")
        return self


class Release(_Entry):
    """Days on which figures of stable series came out, where they differ from the publication lag."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    series: list[str] = Field(min_length=1)
    released: dict[date, date] = Field(min_length=1, description="First day of the reference period: day of release")
    reason: str
    reference: str = Field(description="Where the days are stated")


class Transformation(StrEnum):
    """What an indicator of a claim of one's own takes from its series; days and weeks are averaged by month first."""

    LEVEL = "level"
    CHANGE = "change"  # over `months`, in the unit of the series
    CHANGE_PCT = "change_pct"  # over `months`, per cent
    ZSCORE = "zscore"  # against the last `months`, its own included
    PERCENTILE = "percentile"  # share of the last `months` at or below it, per cent


class Bar(_Entry):
    """What a value is compared with, in its unit."""

    comparison: str = Field(pattern=r"^(gt|gte|lt|lte|between)$")
    threshold: float
    threshold_high: float | None = None

    @model_validator(mode="after")
    def _a_range_has_two_ends(self) -> Self:
        if (self.threshold_high is not None) != (self.comparison == "between"):
            raise ValueError("threshold_high belongs to between, and to nothing else")
        if self.threshold_high is not None and self.threshold_high <= self.threshold:
            raise ValueError("threshold_high must lie above threshold")
        return self


class ClaimIndicator(_Entry):
    """One indicator of a claim of the user's own: a series, a transformation of it, and the rule."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    series: str
    transformation: Transformation
    months: int = Field(default=0, ge=0, le=600, description="Months of the change, or of the window")
    role: str = Field(default="decisive", pattern="^(decisive|supporting)$")
    supports: Bar
    contradicts: float | None = Field(
        default=None, description="At or beyond this it contradicts, in between it is neutral; null: where it fails"
    )
    decimals: int = Field(default=2, ge=0, le=4, description="Decimals with which it is shown and compared")
    tolerated_days: int = Field(default=0, ge=0, description="Days that a figure counts after a newer one was due")
    reason: str = Field(min_length=1)
    reference: str | None = None

    @model_validator(mode="after")
    def _has_the_months_that_it_needs(self) -> Self:
        if (self.months == 0) != (self.transformation is Transformation.LEVEL):
            raise ValueError(f"a level has no months, and {self.transformation} needs them")
        if self.transformation in (Transformation.ZSCORE, Transformation.PERCENTILE) and self.months < 24:
            raise ValueError("a window needs 24 months or more")
        bars = self.supports
        if self.contradicts is not None:
            beyond = self.contradicts - (bars.threshold_high if bars.threshold_high is not None else bars.threshold)
            if beyond != 0 and (beyond > 0) == (bars.comparison in ("gt", "gte")):
                raise ValueError("contradicts must lie on the other side of the threshold")
        return self

    def unit_of(self, series: Series) -> str:
        """Unit of the value."""
        match self.transformation:
            case Transformation.CHANGE_PCT:
                return "pct"
            case Transformation.ZSCORE | Transformation.PERCENTILE:
                return self.transformation.value
            case Transformation.CHANGE if series.unit == "pct":
                return "pp"
        return series.unit

    def label_of(self, series: Series) -> str:
        """The indicator in words, as the subject of a sentence."""
        what = {"change": "change", "change_pct": "change", "zscore": "z-score", "percentile": "percentile"}
        name = what.get(self.transformation.value)
        return f"{series.title}" if name is None else f"{name} over {self.months} months of {series.title}"


class Claim(_Entry):
    """A claim of the user's own; the project's are seeds of the dbt project."""

    id: str = Field(pattern=r"^U[1-9]\d{0,2}$", description="U and a number: no claim of the project begins with it")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    statement: str = Field(min_length=1)
    what_would_change_it: str = Field(min_length=1)
    indicators: list[ClaimIndicator] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_decided(self) -> Self:
        names = [i.id for i in self.indicators]
        if len(set(names)) < len(names):
            raise ValueError("two indicators have the same id")
        if not any(i.role == "decisive" for i in self.indicators):
            raise ValueError("no indicator is decisive")
        return self


E = TypeVar("E", bound=_Entry)


def period_end(period: date, frequency: Frequency) -> date:
    """Last day of the reference period that starts on `period`."""
    match frequency:
        case Frequency.DAILY:
            return period
        case Frequency.WEEKLY:
            return period + timedelta(days=6)
        case Frequency.MONTHLY:
            months = 1
        case Frequency.QUARTERLY:
            months = 3
        case Frequency.ANNUAL | Frequency.US_FISCAL_YEAR:
            months = 12
    last = period.month - 1 + months - 1
    year, month = period.year + last // 12, last % 12 + 1
    return date(year, month, monthrange(year, month)[1])


def period_label(period: date, frequency: Frequency) -> str:
    """The name of the period that starts on `period`: 21 Aug 2026, Aug 2026, 2026Q2, 2025, FY2025 (US fiscal year).

    The macro `period_text` writes the same in the sentences of the claims; a test compares them.
    """
    match frequency:
        case Frequency.DAILY:
            return f"{period.day} {period:%b %Y}"
        case Frequency.WEEKLY:
            return f"week of {period.day} {period:%b %Y}"
        case Frequency.MONTHLY:
            return f"{period:%b %Y}"
        case Frequency.QUARTERLY:
            return f"{period.year}Q{(period.month + 2) // 3}"
        case Frequency.ANNUAL:
            return f"{period.year}"
        case Frequency.US_FISCAL_YEAR:
            return f"FY{period_end(period, frequency).year}"


class Catalog:
    """The whole catalogue. Keys are unique; every series refers to a known source (and metal)."""

    def __init__(
        self,
        sources: Iterable[Source],
        series: Iterable[Series],
        companies: Iterable[Company],
        metals: Iterable[Metal],
        topics: Iterable[Topic] = (),
        indicators: Iterable[Indicator] = (),
        corrections: Iterable[Correction] = (),
        releases: Iterable[Release] = (),
        record_corrections: Iterable[RecordCorrection] = (),
        claims: Iterable[Claim] = (),
        own: Iterable[_Entry] = (),
        overlay: Path | None = None,
    ) -> None:
        self.sources = {s.id: s for s in sources}
        self.series = {s.id: s for s in series}
        self.companies = {c.id: c for c in companies}
        self.metals = {m.id: m for m in metals}
        self.topics = {t.id: t for t in topics}
        self.indicators = {i.id: i for i in indicators}
        self.corrections = {c.id: c for c in corrections}
        self.releases = {r.id: r for r in releases}
        self.record_corrections = {c.id: c for c in record_corrections}
        self.claims = {c.id: c for c in claims}
        self.own = list(own)
        self.overlay = overlay

    def defined_in(self, entry: _Entry) -> str:
        """`overlay` for an entry of the user's own, `project` for any other."""
        return "overlay" if entry in self.own else "project"

    def series_of(self, source_id: str) -> list[Series]:
        return [s for s in self.series.values() if s.source == source_id]

    def topics_of(self, source_id: str) -> list[Topic]:
        return [t for t in self.topics.values() if t.source == source_id]

    @cached_property
    def company_by_cik(self) -> dict[int, Company]:
        return {v.cik: c for c in self.companies.values() for v in c.ciks}


# Entries with the name of the file that declares each.
Found = list[tuple[str, E]]


def load(directory: Path, overlay: Path | None = None) -> Catalog:
    """Read and validate the catalogue in `directory`, with the user's own entries in like files of `overlay`.

    Raises CatalogError at the first error, with the file and the entry; an id declared twice names both files.
    """

    def found(name: str, key: str, model: type[E], required: bool = False) -> Found[E]:
        entries: Found[E] = []
        if required or (directory / name).exists():
            entries = _entries(directory / name, Path(name).name, key, model)
        if overlay is not None and (overlay / name).exists():
            entries += _entries(overlay / name, str(overlay / name), key, model)
        return entries

    sources = found("sources.yaml", "sources", Source, required=True)
    metals = found("metals.yaml", "metals", Metal, required=True)
    companies = found("companies.yaml", "companies", Company, required=True)
    topics = found("topics.yaml", "topics", Topic)
    names = {p.name for folder in (directory, overlay) if folder for p in (folder / "series").glob("*.yaml")}
    series = [entry for name in sorted(names) for entry in found(f"series/{name}", "series", Series)]
    indicators = found("indicators.yaml", "indicators", Indicator)
    corrections = found("corrections.yaml", "corrections", Correction)
    releases = found("release_dates.yaml", "releases", Release)
    of_records = found("record_corrections.yaml", "corrections", RecordCorrection)
    claims = found("claims.yaml", "claims", Claim)
    for group in (sources, metals, companies, series, topics, indicators, releases, claims):
        _refuse_duplicates([(file, entry.id) for file, entry in group])
    _refuse_duplicates([*((file, c.id) for file, c in corrections), *((file, c.id) for file, c in of_records)])
    source_ids, metal_ids = {s.id for _, s in sources}, {m.id for _, m in metals}
    for file, s in series:
        if s.source not in source_ids:
            raise CatalogError(f"{file}: entry '{s.id}': unknown source '{s.source}'")
        if s.metal is not None and s.metal not in metal_ids:
            raise CatalogError(f"{file}: entry '{s.id}': unknown metal '{s.metal}'")
    by_id = {s.id: s for _, s in series}
    _refuse_unknown_series(by_id, indicators, corrections, claims)
    _refuse_releases_without_effect(by_id, releases)
    for file, t in topics:
        if t.source not in source_ids:
            raise CatalogError(f"{file}: entry '{t.id}': unknown source '{t.source}'")
    for file, r in of_records:
        if r.fact and r.fact.company not in {c.id for _, c in companies}:
            raise CatalogError(f"{file}: entry '{r.id}': unknown company '{r.fact.company}'")
    kinds: list[Found[Any]] = [
        sources, series, companies, metals, topics, indicators, corrections, releases, of_records, claims
    ]  # fmt: skip
    own = [(file, e) for kind in kinds for file, e in kind if overlay and Path(file).is_relative_to(overlay)]
    _refuse_sources_without_module(own, overlay)
    return Catalog(
        (s for _, s in sources),
        (s for _, s in series),
        (c for _, c in companies),
        (m for _, m in metals),
        (t for _, t in topics),
        (i for _, i in indicators),
        (c for _, c in corrections),
        (r for _, r in releases),
        (r for _, r in of_records),
        (c for _, c in claims),
        own=[e for _, e in own],
        overlay=overlay,
    )


def _refuse_sources_without_module(own: Found[Any], overlay: Path | None) -> None:
    for file, entry in own:
        if isinstance(entry, Source) and overlay and not (path := overlay / "sources" / f"{entry.id}.py").exists():
            raise CatalogError(f"{file}: entry '{entry.id}': there is no module {path}")


def _refuse_unknown_series(
    by_id: dict[str, Series], indicators: Found[Indicator], corrections: Found[Correction], claims: Found[Claim]
) -> None:
    for file, i in indicators:
        for candidate in i.candidates:
            if candidate.series not in by_id:
                raise CatalogError(f"{file}: entry '{i.id}': unknown series '{candidate.series}'")
            if by_id[candidate.series].frequency is not i.frequency:
                raise CatalogError(
                    f"{file}: entry '{i.id}': series '{candidate.series}' is "
                    f"{by_id[candidate.series].frequency}, the indicator {i.frequency}"
                )
    named = [(file, c.id, c.series) for file, c in corrections]
    named += [(file, c.id, part.series) for file, c in claims for part in c.indicators]
    for file, name, series in named:
        if series not in by_id:
            raise CatalogError(f"{file}: entry '{name}': unknown series '{series}'")


def _refuse_releases_without_effect(by_id: dict[str, Series], releases: Found[Release]) -> None:
    seen: dict[tuple[str, date], str] = {}
    for file, r in releases:
        for name, (period, day) in product(r.series, r.released.items()):
            problem = None
            if name not in by_id:
                problem = f"unknown series '{name}'"
            elif by_id[name].history is History.REVISED:
                problem = f"series '{name}' is revised: its figures count as known from their retrieval"
            elif day < by_id[name].period_end(period):
                problem = f"series '{name}': {period} cannot be released on {day}, before it ends"
            elif (name, period) in seen:
                problem = f"series '{name}': {period} is already dated in '{seen[name, period]}'"
            if problem:
                raise CatalogError(f"{file}: entry '{r.id}': {problem}")
            seen[name, period] = r.id


def entries_of(path: Path) -> list[Series]:
    """The series of one catalogue file. Raises CatalogError as `load` does."""
    return [series for _, series in _entries(path, path.name, "series", Series)]


def document_of(text: str) -> Any:
    """What a YAML document of the project holds. Raises yaml.YAMLError, also for a key given twice."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


# A run loads the catalogue several times, and reading YAML is nine tenths of it. Nothing may change what is returned.
_unchanging_document_of = lru_cache(maxsize=128)(document_of)


def _entries(path: Path, file: str, key: str, model: type[E]) -> Found[E]:
    """Entries of one file: a mapping with `defaults` (merged under every entry) and a list under `key`.

    `file` is its name in messages.
    """
    try:
        document = _unchanging_document_of(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CatalogError(f"{file}: the file is missing", todo=f"restore {path}") from None
    except yaml.YAMLError as error:
        raise CatalogError(f"{file}: not readable as YAML: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get(key), list):
        raise CatalogError(f"{file}: expected a mapping with a list under '{key}'")
    unknown = set(document) - {key, "defaults"}
    if unknown:
        raise CatalogError(f"{file}: unknown keys {sorted(unknown)} beside 'defaults' and '{key}'")
    defaults = document.get("defaults") or {}
    entries = []
    for position, entry in enumerate(document[key], start=1):
        name = entry.get("id", f"number {position}") if isinstance(entry, dict) else f"number {position}"
        try:
            entries.append((file, model.model_validate({**defaults, **entry})))
        except (ValidationError, TypeError) as error:
            raise CatalogError(f"{file}: entry '{name}': {_reasons(error)}") from None
    return entries


def _reasons(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return "is not a mapping"
    return "; ".join(f"{'.'.join(str(part) for part in e['loc']) or 'entry'}: {e['msg']}" for e in error.errors())


def _refuse_duplicates(found: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for file, name in found:
        if name in seen:
            raise CatalogError(f"{file}: entry '{name}' is already declared in {seen[name]}")
        seen[name] = file
