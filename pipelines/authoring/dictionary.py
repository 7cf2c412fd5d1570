"""Writes docs/data_dictionary.md (publishers, series, published tables) and the raw tables as dbt's sources.

`make docs` runs it. Both files derive only from the catalogue, the YAML files of the marts and the definitions of the
raw tables, in their order, so they are reproducible. The same page of the overlay, of the user's own entries alone, is
written by `metals overlay --dictionary`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pipelines import catalog, warehouse
from pipelines.catalog import (
    Catalog,
    Claim,
    ClaimIndicator,
    Company,
    Correction,
    Indicator,
    LicenceClass,
    Metal,
    RecordCorrection,
    Release,
    Series,
    Source,
    Topic,
    document_of,
)
from pipelines.settings import PROJECT_ROOT, Settings, setting_variable

PAGE = PROJECT_ROOT / "docs" / "data_dictionary.md"
SOURCES = PROJECT_ROOT / "dbt_project" / "models" / "staging" / "_sources.yml"
_INTRODUCTION = """\
# Data dictionary

Written by `make docs` from `pipelines/catalog/` and `dbt_project/models/marts/`: change those, not this page.

A plausible range is the one outside of which a figure goes to quarantine. The publication lag counts from the end of
the period; the staleness limit is the longest normal age of the newest period's end. History is `stable` where
back-filled figures count as known after the lag, and `revised` where they count only from the day they were seen.

What a parser has read: `native` are whole answers, byte for byte; `excerpt` parts of answers, or answers written again
in their own format; `documented` none, it follows the documented format. The day is that of the newest.
"""

_OWN_INTRODUCTION = """\
# Your own entries

Written by `metals overlay --dictionary` from the files of this folder: change those, not this page. The project's own
entries, and what the columns mean, are in its `docs/data_dictionary.md`.
"""
E = TypeVar("E")
_SIGNS = {"gt": "above", "gte": "at least", "lt": "below", "lte": "at most"}


def sources() -> str:
    """The raw tables as dbt sources, with the descriptions of the warehouse."""
    lines = [
        "# Written by `make docs` from the raw tables' definitions in pipelines/: change those, not this file.",
        "version: 2",
        "",
        "sources:",
        "  - name: raw",
        "    description: Append-only, bitemporal tables written by the pipeline.",
        "    tables:",
    ]
    for t in warehouse.TABLES:
        lines += [f"      - name: {t.name}", f"        description: {json.dumps(t.description)}", "        columns:"]
        lines += [
            f"          - {{name: {c.name}, data_type: {c.type}, description: {json.dumps(c.description)}}}"
            for c in t.columns
        ]
    return "\n".join(lines) + "\n"


def marts(dbt_project_dir: Path) -> list[tuple[Path, dict[str, Any]]]:
    """(file, entry) of every model in the YAML files of the marts, by folder and file, then as written there."""
    found = []
    for path in sorted((dbt_project_dir / "models" / "marts").rglob("*.yml")):
        document = document_of(path.read_text(encoding="utf-8"))
        found += [(path, model) for model in document.get("models") or []]
    return found


def page(tracked: Catalog, dbt_project_dir: Path) -> str:
    """The whole page as Markdown."""
    models = [model for _, model in marts(dbt_project_dir)]
    lines = [_INTRODUCTION, "## Publishers", ""]
    lines += table(
        ("id", "publisher", "series", "terms", "parser has read", "unless set otherwise"),
        (
            (
                f"[`{s.id}`](#{s.id})",
                s.title,
                len(tracked.series_of(s.id)) or "",
                _words(s.licence_class),
                _read(s),
                "on" if _is_on(s) else "off",
            )
            for s in tracked.sources.values()
        ),
    )
    for source in tracked.sources.values():
        lines += [f"### {source.id}", "", *_facts(source, tracked), *_tracked_of(source, tracked)]
        if source.group == "filings":
            lines += _companies(tracked)
    lines += ["## Published tables", ""]
    lines += table(
        ("table", "holds"), ((f"[`{m['name']}`](#{m['name']})", _sentence(m["description"])) for m in models)
    )
    for model in models:
        lines += _table_of(model["name"], model["description"], model.get("columns") or [])
    lines += [
        "## Raw tables",
        "",
        "What the models read, in the schema `raw` of the published file. The other schemas are",
    ]
    lines += ["explained in [sql.md](sql.md).", ""]
    lines += table(("table", "holds"), ((f"`{t.name}`", _sentence(t.description)) for t in warehouse.TABLES))
    return "\n".join(lines).rstrip() + "\n"


def own_page(tracked: Catalog, nodes: Iterable[dict[str, Any]]) -> str:
    """The user's own entries as Markdown: those of the catalogue, and `nodes`, the overlay's in dbt's manifest."""

    def of(kind: type[E]) -> list[E]:
        return [e for e in tracked.own if isinstance(e, kind)]

    own = Catalog(of(Source), of(Series), of(Company), of(Metal), of(Topic))
    lines = [_OWN_INTRODUCTION]
    with_own = [
        s for s in tracked.sources.values() if s.id in own.sources or own.series_of(s.id) or own.topics_of(s.id)
    ]
    for source in with_own:
        lines += [*(["## Publishers and series", ""] if source is with_own[0] else []), f"### {source.id}", ""]
        if source.id in own.sources:
            lines += _facts(source, tracked)
        else:
            lines += [f"{source.title}, a publisher of the project. You added:", ""]
        lines += _tracked_of(source, own)
    if own.companies:
        lines += ["## Companies", "", *_companies(own)]
    corrections: list[Correction | RecordCorrection] = [*of(Correction), *of(RecordCorrection)]
    if corrections:
        lines += ["## Corrections", ""]
        lines += table(
            ("id", "figure", "published", "treated as", "known on", "reason", "reference"),
            (
                (f"`{c.id}`", _about(c), _amount(c.published), _treated(c), c.known_on, c.reason, c.reference)
                for c in corrections
            ),
        )
    for n, claim in enumerate(of(Claim)):
        lines += ["## Claims", ""] if n == 0 else []
        lines += [f"### {claim.id} {claim.name}", ""]
        lines += [f"**{claim.statement}** What would change it: {claim.what_would_change_it}", ""]
        lines += table(
            ("indicator", "value", "role", "supports", "contradicts", "tolerated, days", "reason", "reference"),
            (
                (
                    f"`{i.id}`",
                    i.label_of(tracked.series[i.series]),
                    i.role,
                    *_bars(i, tracked),
                    i.tolerated_days,
                    i.reason,
                    i.reference or "",
                )
                for i in claim.indicators
            ),
        )
    others = [
        *(("metal", m.id, m.description) for m in own.metals.values()),
        *(("indicator", i.id, i.description) for i in of(Indicator)),
        *(("days of release", r.id, f"{', '.join(r.series)}: {r.reason}") for r in of(Release)),
    ]
    if others:
        lines += ["## Other entries", ""]
        lines += table(("kind", "id", "description"), ((kind, f"`{name}`", said) for kind, name, said in others))
    for n, node in enumerate(nodes):
        lines += ["## Tables", ""] if n == 0 else []
        lines += _table_of(f"{node['schema']}.{node['alias']}", node["description"], node["columns"].values())
    return "\n".join(lines).rstrip() + "\n"


def _about(correction: Correction | RecordCorrection) -> str:
    if isinstance(correction, Correction):
        return f"`{correction.series}`, {correction.period}"
    if correction.fact is None:
        return f"document {correction.document}"
    fact = correction.fact
    return f"`{fact.company}`, {fact.tag} ({fact.unit}), period to {fact.period_end}"


def _treated(correction: Correction | RecordCorrection) -> str:
    return correction.action.value + (f": {_number(correction.value)}" if correction.value is not None else "")


def _amount(value: float | None) -> str:
    return "" if value is None else _number(value)


def _bars(indicator: ClaimIndicator, tracked: Catalog) -> tuple[str, str]:
    """From where an indicator supports its claim, and from where it contradicts it."""
    bar, unit = indicator.supports, indicator.unit_of(tracked.series[indicator.series])
    if bar.threshold_high is not None:
        supports = f"{_number(bar.threshold)} to {_number(bar.threshold_high)} {unit}"
    else:
        supports = f"{_SIGNS[bar.comparison]} {_number(bar.threshold)} {unit}"
    if indicator.contradicts is None:
        return supports, "otherwise"
    sign = "at most" if bar.comparison in ("gt", "gte") else "at least"
    return supports, f"{sign} {_number(indicator.contradicts)} {unit}"


def _table_of(name: str, description: str, columns: Iterable[dict[str, Any]]) -> list[str]:
    """A published table with its columns."""
    rows = [(f"`{c['name']}`", c.get("data_type") or "", c.get("description") or "") for c in columns]
    said = [" ".join(description.split()), ""] if description else []
    return [f"### {name}", "", *said, *(table(("column", "type", "description"), rows) if rows else [])]


def _facts(source: Source, tracked: Catalog) -> Iterator[str]:
    series = tracked.series_of(source.id)
    yield from (f"**{source.title}.** {source.description}", "")
    shipping = [s for s in series if s.bundle]
    if not source.bundle:
        ships = "nothing"
    elif len(shipping) == len(series):
        ships = "its figures may ship with the project"
    else:
        kept = ", ".join(f"`{s.id}`" for s in series if not s.bundle)
        ships = f"{len(shipping)} of {len(series)} series may ship with the project; not {kept}"
    facts = {
        "Publisher": source.publisher,
        "Page": f"<{source.homepage}>",
        "Credit": source.credit,
        "Licence": f"{source.licence} ({_words(source.licence_class)})",
        "Terms": source.terms,
        "Hosts": ", ".join(f"`{host}`" for host in source.hosts)
        + (" (an unofficial channel)" if source.unofficial else ""),
        "Key": _key(source),
        "Parser has read": source.proven.said,
        "Cadence": f"asked at most every {source.cadence_hours:g} hours",
        "Bundled": ships + (" ([what does](../warehouse/bundled/README.md))" if source.bundle else ""),
        "Switch": _switch(source),
    }
    if tracked.defined_in(source) == "overlay":
        del facts["Bundled"]
    yield from (f"- {name}: {' '.join(text.split())}" for name, text in facts.items())
    yield ""


def _tracked_of(source: Source, tracked: Catalog) -> Iterator[str]:
    """The series and topics of a publisher."""
    series = tracked.series_of(source.id)
    if series:
        yield from table(
            ("series", "title", "unit", "frequency", "plausible range", "lag, days", "stale after, days", "history"),
            (
                (
                    f"`{s.id}`",
                    s.title,
                    s.unit,
                    s.frequency.value,
                    f"{_number(s.plausible[0])} to {_number(s.plausible[1])}",
                    s.publication_lag_days,
                    s.staleness_limit_days,
                    s.history.value,
                )
                for s in series
            ),
        )
    topics = tracked.topics_of(source.id)
    if topics:
        yield from table(
            ("topic", "title", "since", "description"), ((f"`{t.id}`", t.title, t.since, t.description) for t in topics)
        )


def _companies(tracked: Catalog) -> list[str]:
    return table(
        ("company", "name", "role", "CIKs", "late after, days"),
        (
            (f"`{c.id}`", c.name, c.role, ", ".join(str(v.cik) for v in c.ciks), c.filing_lag_days)
            for c in tracked.companies.values()
        ),
    )


def _read(source: Source) -> str:
    proven = source.proven
    part = " (part)" if proven.part else ""
    return f"{proven.by}, {proven.newest}{part}" if proven.newest else proven.by.value


def _is_on(source: Source) -> bool:
    return source.key is None and (source.switch is None or bool(Settings.model_fields[source.switch].default))


def _key(source: Source) -> str:
    if source.key is None:
        return "none"
    return f"the user's own, in `{setting_variable(source.key)}`; without it the publisher is not asked"


def _switch(source: Source) -> str:
    if source.switch is None:
        return "on; no setting turns it off" if source.key is None else "**off** until its key is set"
    variable = setting_variable(source.switch)
    return f"on; `{variable}=false` turns it off" if _is_on(source) else f"**off**; `{variable}=true` turns it on"


def _words(licence_class: LicenceClass) -> str:
    return licence_class.value.replace("_", " ")


def _sentence(description: str) -> str:
    """The first sentence of a description."""
    return " ".join(description.split()).partition(". ")[0].rstrip(".")


def _number(value: float) -> str:
    """A bound for display: with thousands separators, without trailing zeros."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.10g}"


def table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> list[str]:
    """A Markdown table and an empty line; bars and line breaks in cells are escaped."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"

    return [line(header), line("---" for _ in header), *(line(row) for row in rows), ""]


def main() -> None:
    settings = Settings()
    PAGE.write_text(page(catalog.load(settings.catalog_dir), settings.dbt_project_dir), encoding="utf-8")
    SOURCES.write_text(sources(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(PROJECT_ROOT)} and {SOURCES.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
