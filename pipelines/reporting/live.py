"""The results of live checks as a table, and as a report that can be attached to an issue."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from pipelines.catalog import Catalog, Source
from pipelines.ingest.live import LiveCheck
from pipelines.landing import anonymous
from pipelines.settings import VERSION, Settings

_COLOUR = {"good": "green", "changed": "cyan", "not_asked": "dim"}


def table(checks: Iterable[LiveCheck], tracked: Catalog) -> Table:
    """One row per publisher: state, media type, size, series, newest period and findings; fits 120 columns."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, collapse_padding=True)
    shown.add_column("publisher", max_width=24)
    shown.add_column("state", no_wrap=True)
    shown.add_column("media type", max_width=16)
    for column in ("kB", "series"):
        shown.add_column(column, no_wrap=True, justify="right")
    shown.add_column("newest", no_wrap=True)
    shown.add_column("finding")
    for c in checks:
        shown.add_row(
            escape(tracked.sources[c.source_id].title),
            f"[{_COLOUR.get(c.state, 'yellow')}]{c.state.replace('_', ' ')}[/]",
            escape((c.content_type or "").partition(";")[0]),
            f"{c.bytes / 1000:,.1f}" if c.bytes is not None else "",
            f"{c.series_found}/{c.series_wanted}" if c.series_wanted else "",
            str(c.newest_period or ""),
            escape(c.finding or ("" if c.compared_with else "no landed answer to compare with")),
        )
    return shown


def tally(checks: Iterable[LiveCheck]) -> str:
    """How many publishers are in each state, for instance "24 good, 1 blocked (fred)"."""
    checks = list(checks)
    found = Counter(c.state for c in checks)
    names = {state: ", ".join(c.source_id for c in checks if c.state == state and not c.sound) for state in found}
    return ", ".join(
        f"{n} {state.replace('_', ' ')}" + (f" ({names[state]})" if names[state] else "")
        for state, n in found.most_common()
    )


def report(checks: Iterable[LiveCheck], tracked: Catalog, settings: Settings) -> str:
    """The results as JSON, without keys, contact, paths of this machine, and addresses of it or of its proxies."""
    results = [_public(dataclasses.asdict(c), tracked.sources[c.source_id], settings) for c in checks]
    return json.dumps({"metals_drivers": VERSION, "live_checks": results}, indent=1, default=str) + "\n"


def _public(record: dict[str, Any], source: Source, settings: Settings) -> dict[str, Any]:
    del record["finding"]  # the findings, joined
    told = record | {"parser_has_read": source.proven.said}
    cleaned: dict[str, Any] = _clean(told, source, settings)
    return cleaned


def _clean(value: Any, source: Source, settings: Settings) -> Any:
    if isinstance(value, dict):
        return {name: _clean(item, source, settings) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_clean(item, source, settings) for item in value]
    return anonymous(value, source, settings) if isinstance(value, str) else value
