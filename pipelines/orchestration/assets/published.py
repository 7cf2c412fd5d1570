"""The published warehouse: audited, then swapped in atomically."""

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Failure,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from pipelines import text, warehouse
from pipelines.audit import checks, gate
from pipelines.errors import AuditFailed
from pipelines.orchestration.assets.metadata import DICTIONARY, EVERY_WEEKDAY, pages
from pipelines.orchestration.resources import MetalsRun

log = text.logger("metals.publish")

KEY = AssetKey(["warehouse", "published"])


def build(upstream: list[AssetKey]) -> AssetsDefinition:
    """The asset over all models; its checks are the audit."""

    @multi_asset(
        name="publish",
        can_subset=True,  # the UI may run the asset without its checks, or a check alone
        specs=[
            AssetSpec(
                KEY,
                deps=upstream,
                description="warehouse/metals.duckdb: the build, audited and swapped in atomically. Open it read-only "
                "with any DuckDB client, also during a run.",
                group_name="published",
                owners=["team:metals-drivers"],
                kinds={"duckdb"},
                metadata=pages(("README.md", "SQL"), (DICTIONARY, "Published tables")),
                freshness_policy=EVERY_WEEKDAY,
            )
        ],
        check_specs=[
            AssetCheckSpec(name, asset=KEY, description=(check.__doc__ or "").strip(), blocking=name in checks.BLOCKING)
            for name, check in checks.CHECKS.items()
        ],
    )
    def published(
        context: AssetExecutionContext, metals: MetalsRun
    ) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        settings = metals.settings
        try:
            findings, changes = gate.publish(settings)
        except AuditFailed as failure:
            with warehouse.writer(settings) as connection:
                for finding in checks.audit(connection, settings):
                    yield _result(finding)
            raise Failure(description=str(failure)) from failure
        with warehouse.reader(settings) as connection:
            rows = connection.execute(
                "select table_name, rows_after, rows_added, rows_changed, rows_vanished from audit.build_diff "
                "where rows_after is not null order by 1"
            ).fetchall()
        table = "\n".join("| " + " | ".join("" if v is None else str(v) for v in row) + " |" for row in rows)
        yield MaterializeResult(
            asset_key=KEY,
            metadata={
                "path": MetadataValue.path(str(settings.published_path)),
                "as_of": str(settings.as_of_date()),
                "bytes": settings.published_path.stat().st_size,
                "tables": MetadataValue.md(
                    f"| table | rows | added | changed | vanished |\n|---|---|---|---|---|\n{table}"
                ),
                "changed": MetadataValue.text("; ".join(changes) or "no verdict and no divergence"),
                "published_despite": MetadataValue.text(settings.publish_despite_failed_checks or "")
                if any(f.blocking and not f.passed for f in findings)
                else MetadataValue.text("no blocking check failed"),
            },
        )
        for finding in findings:
            if finding.name in checks.CHECKS:
                yield _result(finding, AssetCheckSeverity.WARN)  # an error would stop the brief of what is published

    return published


def _result(finding: checks.Finding, severity: AssetCheckSeverity | None = None) -> AssetCheckResult:
    examples = "\n".join(f"- {text.markdown(example)}" for example in finding.examples)
    return AssetCheckResult(
        asset_key=KEY,
        check_name=finding.name,
        passed=finding.passed,
        severity=severity or (AssetCheckSeverity.ERROR if finding.blocking else AssetCheckSeverity.WARN),
        description=text.markdown(finding.said),
        # The page of a run shows a check's metadata, not its description.
        metadata={"said": finding.said} | ({"examples": MetadataValue.md(examples)} if examples else {}),
    )
