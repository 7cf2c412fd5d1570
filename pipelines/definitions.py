"""The Dagster code location: assembly only."""

from __future__ import annotations

from functools import cache

from dagster import AssetKey, Definitions, definitions, in_process_executor

from pipelines import catalog
from pipelines.landing import messages
from pipelines.orchestration import automation
from pipelines.orchestration.assets import as_of, brief, landed, live, message, models, published, raw, verdict_history
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings


def assemble(settings: Settings) -> Definitions:
    """All assets, jobs, schedules and sensors for these settings. Tests pass other settings to the same assembly."""
    tracked = catalog.load(settings.catalog_dir, settings.overlay_dir)
    model_assets = models.build(tracked, settings)
    leaves: list[AssetKey] = sorted(model_assets.keys - {d for deps in model_assets.asset_deps.values() for d in deps})
    alert = automation.alert(settings)
    return Definitions(
        assets=[
            landed.build(tracked),
            raw.build(tracked),
            model_assets,
            verdict_history.build(AssetKey(["models", "claim_verdicts"])),
            published.build([*leaves, verdict_history.KEY]),
            as_of.build(tracked),
            brief.build(published.KEY),
            *([message.build(brief.KEY)] if messages.channels(settings) else []),
            live.build(tracked),
        ],
        jobs=[automation.daily_job, *automation.group_jobs(tracked), automation.snapshot_job, automation.live_job],
        schedules=[automation.daily_schedule, automation.live_schedule],
        sensors=[alert] if alert else [],
        resources={"metals": MetalsRun()},
        # One process writes the warehouse: steps run in order; one step fetches from the publishers in threads.
        executor=in_process_executor,
    )


@definitions
@cache
def defs() -> Definitions:
    """The code location as Dagster loads it; `metals run` assembles its own from its options, and not this one too."""
    return assemble(Settings())
