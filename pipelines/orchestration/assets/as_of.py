"""Historical as-of builds as partitions of one asset: what would have been built and published on each day."""

import shutil
from datetime import date
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    DailyPartitionsDefinition,
    Failure,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from pipelines import ingest, sources, transform, warehouse
from pipelines.audit import gate
from pipelines.catalog import Catalog
from pipelines.ingest import live
from pipelines.landing import Landing
from pipelines.orchestration.assets import landed, models
from pipelines.orchestration.assets.metadata import pages
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import FIRST_AS_OF_DAY, Settings
from pipelines.transform import history

KEY = AssetKey(["warehouse", "as_of"])


def build(catalog: Catalog) -> AssetsDefinition:
    """The asset over landed data; a backfill is one run that builds its days in sequence (single writer)."""

    @multi_asset(
        name="as_of",
        # The offset includes today.
        partitions_def=DailyPartitionsDefinition(FIRST_AS_OF_DAY.isoformat(), timezone="UTC", end_offset=1),
        backfill_policy=BackfillPolicy.single_run(),
        specs=[
            AssetSpec(
                KEY,
                deps=[landed.key(s.id) for s in catalog.sources.values()],
                description="warehouse/as_of/metals_DATE.duckdb: what was known by the end of a day, built from landed "
                "and bundled data, without anything known later, and its page in warehouse/brief. Choose days and "
                "materialise: nothing is fetched, and the daily file is unchanged. Each day takes about as long as the "
                "models of a daily run.",
                group_name="past_days",
                owners=["team:metals-drivers"],
                kinds={"dbt", "duckdb"},
                metadata=pages(("README.md", None), ("pipelines/orchestration/assets/as_of.py", None)),
            )
        ],
    )
    def as_of(context: AssetExecutionContext, metals: MetalsRun) -> MaterializeResult[Any]:
        from pipelines import brief  # noqa: PLC0415 - Plotly takes a while to import, and no other step needs it

        published: dict[str, dict[str, Any]] = {}
        pages_failed: dict[str, str] = {}
        try:
            for day in context.partition_keys:
                settings = metals.settings.model_copy(update={"as_of": date.fromisoformat(day), "offline": True})
                published[day] = snapshot(settings, catalog)
                try:
                    published[day]["brief"] = MetadataValue.path(str(brief.write(settings).path))
                except Exception as error:
                    context.log.exception("%s: the file is published, its page failed", day)
                    pages_failed[day] = f"{type(error).__name__}: {error}"
                    published[day]["brief"] = MetadataValue.text(pages_failed[day])
            if pages_failed:
                raise Failure(
                    description=f"{len(pages_failed)} of {len(published)} days are published without a new page",
                    metadata={day: MetadataValue.text(why) for day, why in list(pages_failed.items())[:20]},
                )
        except BaseException:
            # What is published is a materialisation, whatever failed after it.
            for day, metadata in published.items():
                context.log_event(AssetMaterialization(KEY, partition=day, metadata=metadata))
            raise
        for day, metadata in published.items():
            context.add_asset_metadata(metadata, asset_key=KEY, partition_key=day)
        return MaterializeResult(asset_key=KEY)

    return as_of


def snapshot(settings: Settings, catalog: Catalog) -> dict[str, Any]:
    """Build and publish the warehouse as of `settings.as_of`, without its page; returns the metadata of its partition.

    The same steps as a daily run, on a copy of its raw rows. Raises Failure when a model fails, AuditFailed when the
    audit blocks publication; an earlier file of that day then stays.
    """
    with warehouse.exclusive(settings):
        warehouse.prepare(settings)
        with warehouse.writer(settings) as connection:
            ingest.load_bundle(connection, settings.bundled_dir, settings.clock())
            warehouse.write_catalog(connection, catalog)
            ingest.redate(connection, catalog, settings.clock())
            live.load(connection, settings)
            for source in catalog.sources.values():
                ingest.load_source(
                    connection, source, sources.modules(catalog)(source.id), catalog, Landing(settings.landing_dir)
                )
        failed = [r for r in transform.build(settings) if r.failed]
        if failed:
            raise Failure(
                description=f"as of {settings.as_of}: {len(failed)} models and tests failed ({models.named(failed)}); "
                "nothing is published",
                metadata={r.name: MetadataValue.text(r.message) for r in failed[:20]},
            )
        history.fill(settings)
        gate.publish(settings)
        shutil.rmtree(settings.build_path.parent)  # recreated from the daily build whenever it is needed
    with warehouse.reader(settings) as connection:
        verdicts = warehouse.query(
            connection, "select title || ' (' || claim_id || ')', verdict from claim_verdicts order by claim_id"
        ).rows()
    return {
        "path": MetadataValue.path(str(settings.published_path)),
        "bytes": settings.published_path.stat().st_size,
        "verdicts": MetadataValue.md(
            "| claim | verdict |\n|---|---|\n" + "\n".join(f"| {claim} | {verdict} |" for claim, verdict in verdicts)
        ),
    }
