"""Landed payloads: one asset per publisher, fetched in parallel in one step. The only assets that use the network."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from pipelines import ingest, landing, sources
from pipelines.catalog import Catalog, Source
from pipelines.landing import Retrieval
from pipelines.orchestration.assets.metadata import metals, publisher, unproven
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings, setting_variable
from pipelines.text import markdown

NOT_ASKED = ("not_due", "closed", "offline", "switched_off", "no_key")


def key(source_id: str) -> AssetKey:
    return AssetKey(["landing", source_id])


def team(name: str) -> str:
    """A publisher's name as a Dagster owner."""
    return "team:" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def build(catalog: Catalog) -> AssetsDefinition:
    """One subsettable multi-asset over all publishers of the catalogue."""

    @multi_asset(
        name="landing",
        can_subset=True,
        specs=[
            AssetSpec(
                key(s.id),
                description=f"Unmodified responses of {s.title}, with their origin. {s.description}{unproven(s)}",
                group_name=s.group,
                owners=[team(s.publisher)],
                kinds={"python", "http"},
                metadata=publisher(s),
                tags=metals(series.metal for series in catalog.series_of(s.id)),
                skippable=True,
            )
            for s in catalog.sources.values()
        ],
        check_specs=[
            AssetCheckSpec(
                "answered",
                asset=key(s.id),
                description="Every request returned the expected data (or none was due).",
            )
            for s in catalog.sources.values()
        ],
    )
    def landed(
        context: AssetExecutionContext, metals: MetalsRun
    ) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        assets, wanted = context.selected_asset_keys, context.selected_asset_check_keys
        selected = assets | {check.asset_key for check in wanted}  # the UI may run a check alone
        chosen = [s for s in catalog.sources.values() if key(s.id) in selected]
        refused = ingest.refused_payloads(metals.settings)
        results = landing.land(chosen, sources.modules(catalog), catalog, metals.settings, refused)
        for source in chosen:
            retrievals = results[source.id]
            why = unset(source, metals.settings)
            if key(source.id) in assets:
                yield MaterializeResult(asset_key=key(source.id), metadata=_metadata(retrievals) | why)
            if AssetCheckKey(key(source.id), "answered") in wanted and not why:
                yield _answered(source, retrievals)

    return landed


def unset(source: Source, settings: Settings) -> dict[str, Any]:
    """Why a publisher is never asked with these settings, as metadata; empty where it may be.

    Its check is then skipped. Dagster would skip the load of all publishers if its asset were not materialised.
    """
    why = landing.not_asked(source, settings)
    name = {"no_key": source.key, "switched_off": source.switch}.get(why or "")
    if name is None:
        return {}
    said = "no key is set" if why == "no_key" else "it is switched off"
    return {"not asked": MetadataValue.text(f"{said}: {setting_variable(name)}, see docs/settings.md")}


def _metadata(retrievals: list[Retrieval]) -> dict[str, Any]:
    outcomes = dict(Counter(c.outcome for c in retrievals))
    lines = "\n".join(
        f"| {markdown(c.key)} | {c.outcome} | {c.bytes or ''} | {(c.payload_id or '')[:12]} "
        f"| {markdown(c.error or '')} |"
        for c in retrievals
    )
    return {
        "requests": MetadataValue.int(len(retrievals)),
        "outcomes": MetadataValue.json(outcomes),
        "bytes": MetadataValue.int(sum(c.bytes or 0 for c in retrievals)),
        "checks": MetadataValue.md(
            f"| asked for | outcome | bytes | payload | error |\n|---|---|---|---|---|\n{lines}"
        ),
    }


def _answered(source: Source, retrievals: list[Retrieval]) -> AssetCheckResult:
    failed = [c for c in retrievals if c.outcome in ("failed", "blocked")]
    faults: dict[str, list[str]] = {}  # many requests may have failed for one reason: the first is named
    for c in failed:
        faults.setdefault(landing.plain(c.error or c.key), []).append(c.error or c.key)
    most = sorted(faults.values(), key=len, reverse=True)[:3]
    said = "; ".join(f"{len(found)} requests, the first: {found[0]}" if found[1:] else found[0] for found in most) or (
        "nothing was due" if all(c.outcome in NOT_ASKED for c in retrievals) else "every request was answered"
    )
    return AssetCheckResult(
        asset_key=key(source.id),
        check_name="answered",
        passed=not failed,
        severity=AssetCheckSeverity.WARN,  # the last good data stays, and the run continues
        description=markdown(said),  # the UI takes a check's description for Markdown
        metadata={"said": said, "failed": len(failed), "asked": len(retrievals)},
    )
