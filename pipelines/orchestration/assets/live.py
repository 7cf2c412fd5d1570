"""The weekly live check of all publishers, as an asset of its own job: nothing is landed or published by it."""

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Failure,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from pipelines import sources, warehouse
from pipelines.catalog import Catalog
from pipelines.ingest import live
from pipelines.orchestration.assets import landed
from pipelines.orchestration.assets.metadata import pages
from pipelines.orchestration.resources import MetalsRun
from pipelines.reporting.live import tally
from pipelines.text import markdown

KEY = AssetKey(["warehouse", "live_check"])
CHECK = "as_expected"


def build(catalog: Catalog) -> AssetsDefinition:
    """The asset over landed data, with which the answers are compared."""

    @multi_asset(
        name="live",  # the name of a job may not be that of an op
        specs=[
            AssetSpec(
                KEY,
                deps=[landed.key(s.id) for s in catalog.sources.values()],
                description="One small request to each publisher, parsed and compared with what landed a week or more "
                "ago: columns, labels, units, series, age, address. The results are in raw.live_check and `metals "
                "doctor`. The run fails if a publisher has drifted, moved or frozen since the last check.",
                group_name="live",
                owners=["team:metals-drivers"],
                kinds={"python", "http"},
                metadata=pages(("docs/operations.md", "Live checks"), ("pipelines/ingest/live.py", None)),
            )
        ],
        check_specs=[AssetCheckSpec(CHECK, asset=KEY, description="Every publisher answered as expected.")],
    )
    def live_check(metals: MetalsRun) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        settings = metals.settings
        before = {c.source_id: c.state for c in live.kept(settings)}
        checks = live.check(catalog.sources.values(), sources.modules(catalog), catalog, settings)
        live.keep(checks, settings)
        with warehouse.writer(settings) as connection:
            live.load(connection, settings)
        lines = [
            f"| {c.source_id} | {c.state} | {c.newest_period or ''} | {markdown(c.finding or '')} |" for c in checks
        ]
        text = "\n".join(["| publisher | state | newest | finding |", "|---|---|---|---|", *lines])
        yield MaterializeResult(asset_key=KEY, metadata={"result": tally(checks), "checks": MetadataValue.md(text)})
        yield AssetCheckResult(
            asset_key=KEY,
            check_name=CHECK,
            passed=all(c.sound for c in checks),
            severity=AssetCheckSeverity.WARN,
            description=tally(checks),
        )
        new = [c for c in checks if c.state in live.COSTS_FIGURES and before.get(c.source_id) != c.state]
        if new:
            raise Failure("; ".join(f"{c.source_id} {c.state}: {c.finding}" for c in new))

    return live_check
