"""Landed payloads: one asset per publisher, asked side by side in one step. The only assets that use the network."""

import re
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

from pipelines import landing, sources
from pipelines.assets import reference
from pipelines.catalog import Catalog, Source
from pipelines.landing import Check
from pipelines.resources import MetalsRun

NOT_ASKED = ("not_due", "closed", "offline", "switched_off", "no_key")


def key(source_id: str) -> AssetKey:
    return AssetKey(["landing", source_id])


def team(name: str) -> str:
    """An owner as Dagster writes it, from a publisher's name."""
    return "team:" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def build(catalog: Catalog) -> AssetsDefinition:
    """One subsettable multi-asset over all publishers of the catalogue."""

    @multi_asset(
        name="landing",
        can_subset=True,
        specs=[
            AssetSpec(
                key(s.id),
                description=f"Responses of {s.title} as they came, with their origin. {s.description}",
                group_name=s.group,
                owners=[team(s.publisher)],
                kinds={"python", "http"},
                metadata=reference.publisher(s),
                freshness_policy=reference.EVERY_WEEKDAY,
                skippable=True,
            )
            for s in catalog.sources.values()
        ],
        check_specs=[
            AssetCheckSpec(
                "answered",
                asset=key(s.id),
                description="Every request was answered with what was asked for (or none was due).",
            )
            for s in catalog.sources.values()
        ],
    )
    def landed(
        context: AssetExecutionContext, metals: MetalsRun
    ) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        assets, wanted = context.selected_asset_keys, context.selected_asset_check_keys
        selected = assets | {check.asset_key for check in wanted}  # the UI may ask for a check alone
        chosen = [s for s in catalog.sources.values() if key(s.id) in selected]
        results = landing.land(chosen, sources.module, catalog, metals.settings)
        for source in chosen:
            checks = results[source.id]
            if key(source.id) in assets:
                yield MaterializeResult(asset_key=key(source.id), metadata=_metadata(checks))
            if AssetCheckKey(key(source.id), "answered") in wanted:
                yield _answered(source, checks)

    return landed


def _metadata(checks: list[Check]) -> dict[str, Any]:
    outcomes = {o: sum(c.outcome == o for c in checks) for o in dict.fromkeys(c.outcome for c in checks)}
    lines = "\n".join(
        f"| {c.key} | {c.outcome} | {c.bytes or ''} | {(c.payload_id or '')[:12]} | {c.error or ''} |" for c in checks
    )
    return {
        "requests": MetadataValue.int(len(checks)),
        "outcomes": MetadataValue.text(", ".join(f"{n} {o}" for o, n in outcomes.items()) or "none"),
        "bytes": MetadataValue.int(sum(c.bytes or 0 for c in checks)),
        "checks": MetadataValue.md(
            f"| asked for | outcome | bytes | payload | error |\n|---|---|---|---|---|\n{lines}"
        ),
    }


def _answered(source: Source, checks: list[Check]) -> AssetCheckResult:
    failed = [c for c in checks if c.outcome == "failed"]
    said = "; ".join(c.error or c.key for c in failed[:3]) or (
        "nothing was due" if all(c.outcome in NOT_ASKED for c in checks) else "every request was answered"
    )
    return AssetCheckResult(
        asset_key=key(source.id),
        check_name="answered",
        passed=not failed,
        severity=AssetCheckSeverity.WARN,  # the last good data stands, and the run goes on
        description=said,
        metadata={"said": said, "failed": len(failed), "asked": len(checks)},
    )
