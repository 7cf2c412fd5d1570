"""Writes entries into the user's overlay and their dictionary, and checks all of it: catalogue, modules, models.

The overlay lies outside the project's files, so that an upgrade (`git pull`) keeps it. Reading it belongs to `catalog`,
`sources` and `transform`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pipelines import catalog as catalogs
from pipelines import sources, warehouse
from pipelines.authoring import dictionary
from pipelines.catalog import Catalog, Claim, Company, Correction, RecordCorrection, Series, Source, Transformation
from pipelines.errors import CatalogError, MetalsError
from pipelines.settings import Settings

DECIMALS = {"level": 2, "change": 2, "change_pct": 1, "zscore": 2, "percentile": 0}
SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
RULE = "SERIES TRANSFORMATION [MONTHS] COMPARISON THRESHOLD [against THRESHOLD]"
_KINDS: dict[str, tuple[type[Any], ...]] = {
    "series": (Series,),
    "sources": (Source,),
    "companies": (Company,),
    "corrections": (Correction, RecordCorrection),
    "claims": (Claim,),
}


def append(settings: Settings, file: str, key: str, entry: dict[str, Any]) -> Path:
    """Append an entry to a file of the overlay, whose last part is the list under `key`; returns the file's path.

    Raises CatalogError if the catalogue is not valid with the entry; then the file is what it was.
    """
    path = settings.overlay_dir / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    listed = yaml.safe_dump([entry], sort_keys=False, allow_unicode=True, width=110)
    added = "".join(f"  {line}" for line in listed.splitlines(keepends=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, f"{(before or f'{key}:').rstrip()}\n{added}")
    try:
        catalogs.load(settings.catalog_dir, settings.overlay_dir)
    except CatalogError:
        if before is None:
            path.unlink()
        else:
            _write(path, before)
        raise
    return path


def _write(path: Path, content: str) -> None:
    with warehouse.replacing(path) as part:
        part.write_text(content, encoding="utf-8")


def correction(series: str, period: date, **given: Any) -> dict[str, Any]:
    """The entry of a correction of one figure; what is None is left out, but for the figure it is about."""
    name = f"{series}_{period:%Y_%m_%d}"
    said = {k: v for k, v in given.items() if v is not None or k == "published"}
    return {"id": name, "series": series, "period": period, **said}


def next_claim_id(tracked: Catalog) -> str:
    """The first free id of a claim of the user's own: U1, U2 ..."""
    return next(name for n in range(1, 1000) if (name := f"U{n}") not in tracked.claims)


def indicator(rule: str, role: str, reason: str, reference: str | None, tolerated_days: int) -> dict[str, Any]:
    """An indicator from a rule in one line, such as `wb_copper_usd_per_tonne zscore 120 >= 1 against 0`.

    Raises CatalogError for a line of another form; numbers are judged by the catalogue.
    """
    number = r"[-+]?\d+(?:\.\d+)?"
    kinds = "|".join(sorted(Transformation, key=len, reverse=True))
    found = re.fullmatch(
        rf"(\w+) ({kinds})(?: (\d+))? (?:(gte?|lte?|[<>]=?) ({number})|between ({number}) ({number}))"
        rf"(?: against ({number}))?",
        " ".join(rule.split()),
    )
    if found is None:
        raise CatalogError(f"'{rule}' is not of the form {RULE}", todo="docs/adding_a_claim.md has examples")
    series, kind, months, sign, bar, low, high, against = found.groups()
    supports: dict[str, Any] = {"comparison": SIGNS.get(sign, sign), "threshold": float(bar)} if sign else {
        "comparison": "between", "threshold": float(low), "threshold_high": float(high)
    }  # fmt: skip
    entry: dict[str, Any] = {
        "id": f"{series}_{kind}" + (f"_{months}m" if months else ""),
        "series": series,
        "transformation": kind,
        "role": role,
        "supports": supports,
        "decimals": DECIMALS[kind],
        "tolerated_days": tolerated_days,
        "reason": reason,
    }
    optional = {"months": months and int(months), "contradicts": against and float(against), "reference": reference}
    return entry | {k: v for k, v in optional.items() if v is not None}


def check(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """What is in the overlay and whether it is valid with this version of the project, by kind."""
    folder = settings.overlay_dir
    yield "overlay", True, str(folder) if folder.is_dir() else f"{folder} does not exist: nothing of your own"
    try:
        tracked = catalogs.load(settings.catalog_dir, folder)
    except MetalsError as error:
        yield "catalogue", False, str(error)
        return
    for name, kinds in _KINDS.items():
        ids = [e.id for e in tracked.own if isinstance(e, kinds)]
        yield name, True, ", ".join(ids) or "none"
        if name == "sources":
            for source_id in ids:
                try:
                    sources.modules(tracked)(source_id)
                except MetalsError as error:
                    yield name, False, str(error)
    files = _models(settings)
    if not files:
        yield "models", True, "none"
        return
    from pipelines import transform  # noqa: PLC0415 - dbt is imported only where there are models

    try:
        nodes = transform.compiled(settings).values()
        compiled = {n["name"] for n in nodes if n["original_file_path"].startswith("overlay/")}
    except MetalsError as error:
        yield "models", False, str(error)
        return
    lacking = [f.stem for f in files if f.stem not in compiled]
    yield "models", not lacking, f"not compiled: {', '.join(lacking)}" if lacking else ", ".join(sorted(compiled))


def write_dictionary(settings: Settings) -> Path:
    """Write the data dictionary of the user's own entries into the overlay; returns its path."""
    tracked = catalogs.load(settings.catalog_dir, settings.overlay_dir)
    nodes: list[dict[str, Any]] = []
    if _models(settings) or any((settings.overlay_dir / "seeds").rglob("*.csv")):
        from pipelines import transform  # noqa: PLC0415 - dbt is imported only where there are models

        nodes = [
            n
            for n in transform.manifest(settings)["nodes"].values()
            if n["resource_type"] in ("model", "seed") and n["original_file_path"].startswith("overlay/")
        ]
    path = settings.overlay_dir / "dictionary.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, dictionary.own_page(tracked, nodes))
    return path


def _models(settings: Settings) -> list[Path]:
    return sorted(f for end in ("*.sql", "*.py") for f in (settings.overlay_dir / "models").rglob(end))
