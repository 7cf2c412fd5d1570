"""One run of a job in this process, for `metals run`: the daily job, or the build of a past day.

The UI and the schedule start the same jobs.
"""

from __future__ import annotations

from typing import Any

from dagster import AssetKey, DagsterEventType, Definitions

from pipelines import catalog, warehouse
from pipelines.orchestration import failures, retention
from pipelines.orchestration import instance as instances
from pipelines.orchestration.assets import as_of, landed, published, raw
from pipelines.orchestration.automation import AS_OF_DAYS, DAILY
from pipelines.settings import Settings


def execute(
    definitions: Definitions, settings: Settings, only: list[str] | None
) -> tuple[bool, list[str], dict[str, dict[str, int]]]:
    """Execute the daily job for all publishers or the named ones, or if `settings.as_of` is set, the build of that day.

    Returns whether a warehouse was published (even if the brief failed afterwards), what failed and why, and, per
    publisher, the number of its requests by outcome.
    """
    job = definitions.resolve_job_def(DAILY if settings.as_of is None else AS_OF_DAYS)
    selection: list[AssetKey] | None = None
    if only:
        tracked = catalog.load(settings.catalog_dir, settings.overlay_dir)
        left_out = {
            key
            for source in tracked.sources.values()
            if source.id not in only
            for key in (landed.key(source.id), raw.key(source.id))
        }
        selection = [k for k in job.asset_layer.executable_asset_keys if k not in left_out]
    # The lock first: where there are no locks, it says so, while the storage of Dagster waits for its own.
    with (
        warehouse.exclusive(settings),
        instances.opened(captures=False) as instance,  # the terminal shows the progress
        instances.like_the_uis(instance, job),
    ):
        result = job.execute_in_process(
            instance=instance,
            asset_selection=selection,
            partition_key=settings.as_of.isoformat() if settings.as_of else None,
            raise_on_error=False,
            run_config={
                "resources": {"metals": {"config": {"offline": settings.offline}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            tags=retention.STARTED_BY_COMMAND,
        )
        outcomes: dict[str, dict[str, int]] = {}
        has_published = False
        # From the log: the result lacks what a step had materialised before it failed.
        for entry in instance.all_logs(result.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION):
            if (materialised := entry.asset_materialization) is None:
                continue
            key = materialised.asset_key
            has_published |= key in (published.KEY, as_of.KEY)
            if key.path[0] == "landing":
                counts: Any = materialised.metadata["outcomes"].value
                outcomes[key.path[1]] = counts
        failed = list(failures.of_run(instance, result.run_id).values())
        if not result.success and not failed:
            failed.append("the run failed outside of its steps")
        return has_published, failed, outcomes
