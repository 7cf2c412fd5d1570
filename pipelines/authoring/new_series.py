"""Adds a series of a known publisher: fetches it, loads it in a scratch warehouse as a run does, and writes the entry
only if the result has rows.

Code for a single publisher does not belong here: requests and parsing are in `sources`.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines import catalog as catalogs
from pipelines import ingest, landing, sources, warehouse
from pipelines.catalog import Catalog, Series, document_of
from pipelines.errors import CatalogError, MetalsError, UpstreamUnavailable
from pipelines.landing import Landing
from pipelines.landing.reachability import not_asked
from pipelines.settings import Settings

# Entry fields in the order of the files.
FIELDS = (
    "id", "title", "publisher", "select", "unit", "frequency", "plausible", "publication_lag_days",
    "staleness_limit_days", "history", "licence", "metal", "bundle", "description",
)  # fmt: skip
EXAMPLES = 3


@dataclass(frozen=True)
class Trial:
    """The trial load of a series. `low` and `high` are in its unit; `spacing_days` is the most common spacing."""

    rows: int
    first_period: date | None
    last_period: date | None
    low: float | None
    high: float | None
    spacing_days: int | None
    quarantined: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """The file that an entry goes to, and the defaults that hold in it (or will, once it is written)."""

    path: Path
    defaults: dict[str, Any]


def target(source_id: str, settings: Settings, in_project: bool = False) -> Target:
    """Where a new series of this publisher goes: the overlay, or the project's file.

    A new file of the overlay takes over the defaults of the project's. Raises CatalogError if the project has no file.
    """
    own = settings.overlay_dir / "series" / f"{source_id}.yaml"
    if own.exists() and not in_project:
        return Target(own, _defaults(own))
    for path in sorted((settings.catalog_dir / "series").glob("*.yaml")):
        defaults = _defaults(path)
        if defaults.get("source") == source_id:
            return Target(path if in_project else own, defaults)
    if in_project:
        raise CatalogError(f"no file under {settings.catalog_dir / 'series'} holds series of '{source_id}'")
    return Target(own, {"source": source_id})


def _defaults(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = document_of(path.read_text(encoding="utf-8")).get("defaults") or {}
    return found


def entry(target: Target, given: dict[str, Any]) -> Series:
    """The series of `given` and the defaults of its file; raises CatalogError for missing or invalid fields."""
    try:
        return Series.model_validate({**target.defaults, **given})
    except ValidationError as error:
        lacking = [str(e["loc"][0]) for e in error.errors() if e["type"] == "missing"]
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors() if e["type"] != "missing"]
        said = ([f"still needed: {', '.join(lacking)}"] if lacking else []) + wrong
        raise CatalogError(
            "; ".join(said) + (f" (neither given nor among the defaults of {target.path.name})" if lacking else ""),
            todo="give them as options; docs/adding_a_series.md explains each",
        ) from None


def selection(pairs: list[str], neighbour: Series | None) -> dict[str, Any]:
    """`--select` as the publisher's module reads it: with the names and the number types of its other series.

    Raises CatalogError for an invalid pair, and if none of the names of `neighbour` is given.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise CatalogError(f"--select '{pair}' is not NAME=VALUE")
        model = neighbour.select.get(name) if neighbour else None
        found[name] = type(model)(value) if isinstance(model, int | float) and not isinstance(model, bool) else value
    lacking = [] if neighbour is None else [name for name in neighbour.select if name not in found]
    if neighbour is not None and not found.keys() & neighbour.select.keys():
        like = " ".join(f"--select {name}={value}" for name, value in neighbour.select.items())
        raise CatalogError(f"--select names none of {', '.join(lacking)}", todo=f"give it like {neighbour.id}: {like}")
    return found


def refuse_known(series: Series, tracked: Catalog) -> None:
    """Raises CatalogError if the id or the same `select` is already tracked, or the metal is unknown."""
    if series.id in tracked.series:
        raise CatalogError(f"'{series.id}' is tracked already", todo="choose another id")
    same = next((s.id for s in tracked.series_of(series.source) if s.select == series.select), None)
    if same is not None:
        raise CatalogError(f"these figures are tracked already, as '{same}'")
    if series.metal is not None and series.metal not in tracked.metals:
        raise CatalogError(f"unknown metal '{series.metal}'; known are {', '.join(tracked.metals)}")


def try_out(series: Series, tracked: Catalog, settings: Settings) -> Trial:
    """Fetch this series alone, parse and validate the response; nothing of it is kept.

    Raises UpstreamUnavailable if the publisher is switched off or does not answer; BadPayload or ContractBreach as in a
    run.
    """
    source = tracked.sources[series.source]
    reason = not_asked(source, settings)
    if reason is not None:
        raise UpstreamUnavailable(f"is not asked ({reason.replace('_', ' ')})", source=source.id, series=series.id)
    alone = Catalog([source], [series], [], tracked.metals.values())
    with tempfile.TemporaryDirectory(prefix="metals-series-") as folder:
        apart = settings.model_copy(update={"warehouse_dir": Path(folder)})
        module = sources.modules(tracked)
        retrievals = landing.land([source], module, alone, apart)[source.id]
        failed = [c.error for c in retrievals if c.outcome in ("failed", "blocked") and c.error]
        connection = warehouse.scratch()
        report = ingest.load_source(connection, source, module(source.id), alone, Landing(apart.landing_dir))
        row = warehouse.one(
            connection,
            """
            with spaced as (
                select period, value, date_diff('day', lag(period) over (order by period), period) as days
                from raw.observation where series_id = ?
            )
            select count(*), min(period), max(period), min(value), max(value), mode(days) from spaced
            """,
            [series.id],
        )
        bad = connection.execute('select "row", reason from raw.quarantine').fetchall()
    rows, first, last, low, high, spacing = row or (0, None, None, None, None, None)
    if report.refused:
        raise MetalsError("; ".join(report.refused[:EXAMPLES]), todo="see --select and the publisher's page")
    if failed and not rows and not bad:
        raise UpstreamUnavailable("; ".join(failed[:EXAMPLES]), kept="the catalogue as it was")
    examples = tuple(f"{where}: {why}" for where, why in bad[:EXAMPLES])
    return Trial(int(rows), first, last, low, high, spacing, len(bad), examples)


def doubts(series: Series, trial: Trial) -> list[str]:
    """Contradictions between the trial load and the entry; empty if there are none."""
    said = []
    if not trial.rows:
        said.append("the publisher's response has no row of it; see --select")
    if trial.quarantined:
        said.append(f"{trial.quarantined} rows would go to quarantine, for instance {'; '.join(trial.examples)}")
    usual = {"daily": (1, 4), "weekly": (7, 7), "monthly": (28, 31), "quarterly": (90, 92)}.get(
        series.frequency.value, (365, 366)
    )
    if trial.spacing_days is not None and not usual[0] <= trial.spacing_days <= usual[1]:
        said.append(f"its periods are {trial.spacing_days} days apart, which is not {series.frequency.value}")
    return said


def text(series: Series, defaults: dict[str, Any]) -> str:
    """The entry for its file, without fields that equal the file's defaults."""
    said = series.model_dump(mode="json")
    kept = {
        name: [int(v) if v == int(v) else v for v in said[name]] if name == "plausible" else said[name]
        for name in FIELDS
        if said[name] is not None and defaults.get(name) != said[name] and (name, said[name]) != ("bundle", True)
    }
    lines = []
    for name, value in kept.items():
        flow = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).removesuffix("...\n")
        lines.append(f"    {name}: {flow.strip()}")
    lines[0] = lines[0].replace("    ", "  - ", 1)
    return "\n" + "\n".join(lines) + "\n"


def write(series: Series, target: Target, settings: Settings) -> None:
    """Append the entry to its file; the file is replaced atomically, and only if the catalogue is valid with it."""
    path = target.path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    if path.exists():
        before = path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    else:
        before = yaml.safe_dump({"defaults": target.defaults}, sort_keys=False, allow_unicode=True) + "\nseries:"
    part.write_text(before + text(series, target.defaults), encoding="utf-8")
    try:
        # Validate the resulting catalogue: the loader reads whole folders, so all files are copied.
        judged = catalogs.entries_of(part)
        if judged[-1] != series:
            raise CatalogError(f"{path.name}: the entry would be read back differently from the one tried")
        refuse_known(series, catalogs.load(settings.catalog_dir, settings.overlay_dir))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
