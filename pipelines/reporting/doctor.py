"""The content of `metals doctor`: settings, disk, catalogue, published file, and every publisher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from textwrap import shorten

import duckdb
from rich import box
from rich.markup import escape
from rich.table import Table

from pipelines import catalog, sources, warehouse
from pipelines.catalog import Catalog, LicenceClass, Source
from pipelines.catalog.calendar import next_release
from pipelines.errors import MetalsError
from pipelines.ingest import live
from pipelines.landing import Landing, reachable
from pipelines.reporting import live as live_report
from pipelines.settings import Settings, setting_variable, settings_file

# The terms in two words; the data dictionary has them in full.
TERMS = {
    LicenceClass.PUBLIC_DOMAIN: "public domain",
    LicenceClass.ATTRIBUTION: "give credit",
    LicenceClass.AGGREGATOR: "aggregator",
    LicenceClass.OFFICIAL_FIGURES: "official figures",
    LicenceClass.PERSONAL_USE: "personal use",
}


# Publishers of filings and documents have no series: new ones may appear on any working day, except in archives.
_RELEASES_WITHOUT_SERIES = {"sec_financial_statements": "quarterly", "usitc_hts": "irregular"}


# Newest period of each series, and the days between two of its periods: within a payload, or between two payloads.
_PERIODS = """
with spaced as (
    select
        source_id, series_id, last_period,
        case when rows > 1 then date_diff('day', first_period, last_period) / (rows - 1) end as within_days,
        date_diff(
            'day', lag(last_period) over (partition by source_id, series_id order by last_period), last_period
        ) as between_days
    from raw.coverage
    where last_period is not null
)
select
    source_id, series_id, max(last_period) as newest,
    coalesce(greatest(1, cast(round(least(min(within_days), min(nullif(between_days, 0)))) as integer)), 1) as step_days
from spaced
group by source_id, series_id
"""


def diagnose(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """The checks of `metals doctor`: name, whether it passed, what was found."""
    tracked: Catalog | None = None
    try:
        tracked = catalog.load(settings.catalog_dir, settings.overlay_dir)
        yield "catalogue", True, f"{len(tracked.sources)} publishers, {len(tracked.series)} series"
        yield from _own_publishers(tracked, settings)
    except MetalsError as error:
        yield "catalogue", False, str(error)
    yield "settings file", True, f"{settings_file()}{'' if settings_file().is_file() else ', which does not exist'}"
    contact = "example.org" not in settings.contact
    yield (
        "contact",
        contact,
        settings.contact if contact else "METALS_CONTACT is not set; the SEC requires a name and an e-mail in it",
    )
    folder = settings.warehouse_dir
    writable = folder.exists() and folder.is_dir()
    yield "warehouse folder", writable, str(folder)
    if settings.published_path.exists():
        try:
            with warehouse.reader(settings) as connection:
                yield "published file", True, f"opens; as of {warehouse.as_of(connection)}"
        except (duckdb.Error, MetalsError) as error:
            yield "published file", False, str(error)
    else:
        yield "published file", False, "does not exist yet; run `metals run`"
    if why := warehouse.held_back(settings):
        yield "last build", False, f"not published, {why}"
    yield from _live_check(settings)
    yield from _for_tests(settings)
    yield "FRED", True, "on" if settings.fred else "switched off (METALS_FRED=false)"
    yield "keys", True, " ".join(_keys(tracked, settings))


def _own_publishers(tracked: Catalog, settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Publishers of the overlay whose module plans nothing, or that have no series; tests hold the project's own."""
    find = sources.modules(tracked)
    for source in tracked.sources.values():
        if tracked.defined_in(source) != "overlay":
            continue
        idle = "" if tracked.series_of(source.id) else "has no series"
        try:
            planned = bool(find(source.id).plan(tracked, settings.clock().date()))
        except Exception as error:  # noqa: BLE001 - whatever the user's file raises
            yield f"  {source.id}", False, str(error) if isinstance(error, MetalsError) else f"plan: {error!r}"
            continue
        if not planned:
            yield f"  {source.id}", False, " and ".join(filter(None, ("plans no request", idle)))
        elif idle:
            yield f"  {source.id}", True, f"{idle}: none of its figures is loaded, only filings and documents"


def _for_tests(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Settings that are made for tests or for one call, and change every run for as long as they are set."""
    if settings.now is not None:
        yield "METALS_NOW", False, f"is set: every run takes {settings.clock():%Y-%m-%d %H:%M} UTC for now; unset it"
    if settings.upstream_base_url is not None:
        yield "METALS_UPSTREAM_BASE_URL", False, f"is set: {settings.upstream_base_url} is asked in place of publishers"
    if settings.as_of is not None:
        yield "METALS_AS_OF", False, f"is set: every command builds or reads {settings.as_of}, not today"
    if settings.publish_despite_failed_checks is not None:
        yield "METALS_PUBLISH_DESPITE_FAILED_CHECKS", False, "is set: no failed check blocks publication; unset it"


def _live_check(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """The last weekly live check. A publisher that did not answer, or blocked, is no problem to fix here."""
    checks = live.kept(settings)
    newest = [c for c in checks if c.checked_at.date() == checks[-1].checked_at.date()]
    if not newest:
        yield "live check", True, "none yet (weekly while the UI runs); `metals doctor --live` makes one now"
        return
    newest = list({c.source_id: c for c in newest}.values())
    drifted = [c for c in newest if c.state in live.COSTS_FIGURES]
    yield "live check", not drifted, f"{newest[0].checked_at:%Y-%m-%d}: {live_report.tally(newest)}"
    for c in drifted:
        yield f"  {c.source_id}", False, shorten(c.finding or "", 150, placeholder="…")


def _keys(tracked: Catalog | None, settings: Settings) -> Iterator[str]:
    """One sentence per publisher that needs an API key, and one on APIs with a key that are not used."""
    for source in tracked.sources.values() if tracked else ():
        if source.key is not None:
            variable = setting_variable(source.key)
            if getattr(settings, source.key) is None:
                yield f"{variable} is not set, so {source.title} is not fetched; it is optional."
            else:
                yield f"{variable} is set, so {source.title} is fetched."
    yield "The APIs of FRED, Ember, EIA and BEA that require a key are not used."


def periods(settings: Settings) -> dict[tuple[str, str], tuple[date, int]]:
    """Newest period and days between two periods by (source, series), from the published file; empty without one."""
    if not settings.published_path.exists():
        return {}
    try:
        with warehouse.reader(settings) as connection:
            rows = connection.execute(_PERIODS).fetchall()
    except (duckdb.Error, MetalsError):
        return {}  # `diagnose` reports why the file cannot be read
    return {(source, series): (newest, step) for source, series, newest, step in rows}


def expected(source: Source, tracked: Catalog, known: dict[tuple[str, str], tuple[date, int]]) -> str:
    """The earliest next release over the series of a source, as text; empty where no period is known."""
    series = tracked.series_of(source.id)
    if not series:
        return _RELEASES_WITHOUT_SERIES.get(source.id, "daily")
    days = [next_release(s, *known[source.id, s.id]) for s in series if (source.id, s.id) in known]
    return str(min(days)) if days else ""


def sources_table(settings: Settings) -> Table | str:
    """Every publisher: reachability, terms, proof of its parser, fetch interval, last response, newest and next period.

    A sentence in its place where the catalogue does not load, an error that `diagnose` reports.

    Read from the catalogue, the landing journal and the published file; fits 120 columns.
    """
    try:
        tracked = catalog.load(settings.catalog_dir, settings.overlay_dir)
    except MetalsError:
        return "Publishers are not shown, because the catalogue does not load."
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
        caption="In full: docs/data_dictionary.md. A next release in the past is late, or not fetched yet.",
        caption_justify="left",
    )
    table.add_column("publisher")  # this column and the last share the remaining width
    table.add_column("reachable", max_width=16)
    table.add_column("key", no_wrap=True)
    table.add_column("terms,\nparser read", max_width=13)
    for column in ("cadence", "last\nanswer", "newest\nperiod", "next\nrelease"):
        table.add_column(column, no_wrap=True)
    table.add_column("last failure")
    landing = Landing(settings.landing_dir)
    known = periods(settings)
    answers = reachable(tracked.sources.values(), settings)
    for source in tracked.sources.values():
        retrievals = landing.retrievals(source.id)
        good = [c for c in retrievals if c.outcome in ("fresh", "unchanged")]
        bad = [c for c in retrievals if c.outcome in ("failed", "blocked")]
        newest = [period for (source_id, _), (period, _) in known.items() if source_id == source.id]
        table.add_row(
            escape(source.title),
            escape(answers[source.id]),
            _key(source, settings),
            f"{TERMS[source.licence_class]}\n{source.proven.by.value}",
            f"{source.cadence_hours:g} h",
            f"{good[-1].checked_at:%Y-%m-%d}" if good else "never",
            str(max(newest)) if newest else "",
            expected(source, tracked, known),
            escape(f"{bad[-1].checked_at:%Y-%m-%d} {_brief(bad[-1].error or '', source)}") if bad else "",
        )
    return table


def _key(source: Source, settings: Settings) -> str:
    if source.key is None:
        return "none"
    return "not set" if getattr(settings, source.key) is None else "set"


def _brief(error: str, source: Source) -> str:
    """An error of `source` without source and host, which its row shows, cut to 40 characters."""
    text = re.sub(r"^\[[^\]]*\] ", "", error)
    for host in source.hosts:
        text = text.removeprefix(f"{host} ")
    return shorten(text, 40, placeholder="…")
