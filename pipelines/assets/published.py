"""The published warehouse: audited, then swapped in whole."""

import logging
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

from pipelines import checks, warehouse
from pipelines.assets import reference
from pipelines.errors import AuditFailed
from pipelines.resources import MetalsRun
from pipelines.settings import Settings

log = logging.getLogger("metals.publish")

KEY = AssetKey(["warehouse", "published"])


def publish(settings: Settings) -> tuple[list[checks.Finding], list[str]]:
    """Audit the build, keep the difference to the last publication with it, swap it in.

    Raises AuditFailed when a blocking check fails and no override is set; the last published file stands then.
    Returns the findings and the verdicts that flipped.
    """
    with warehouse.exclusive(settings):
        log.info("auditing the build")
        with warehouse.writer(settings) as connection:
            findings = checks.audit(connection, settings)
            failed = [f for f in findings if f.blocking and not f.passed]
            override = settings.publish_despite_failed_checks
            if failed and not override:
                raise AuditFailed(
                    "; ".join(f"{f.name}: {f.said}" for f in failed),
                    kept=f"the published file {settings.published_path.name} as it was",
                    todo="mend the cause, or set METALS_PUBLISH_DESPITE_FAILED_CHECKS to the reason for publishing",
                )
            if failed and override:
                findings.append(
                    checks.Finding("published_despite_failed_checks", False, False, f"overridden: {override}")
                )
            flips = checks.write_diff(connection, settings, findings)
        warehouse.publish(settings)
    log.info(
        "published %s: %d of %d checks passed",
        settings.published_path.name,
        sum(f.passed for f in findings),
        len(findings),
    )
    return findings, flips


def build(upstream: list[AssetKey]) -> AssetsDefinition:
    """The asset over all models; its checks are the audit."""

    @multi_asset(
        name="publish",
        can_subset=True,  # the UI may ask for the file without its checks, or for a check alone
        specs=[
            AssetSpec(
                KEY,
                deps=upstream,
                description="warehouse/metals.duckdb: the build, audited and swapped in whole. Open it read-only with "
                "any DuckDB client, also while a run is on.",
                group_name="published",
                owners=["team:metals-drivers"],
                kinds={"duckdb"},
                metadata=reference.pages(("README.md", "SQL"), (reference.DICTIONARY, "Published tables")),
                freshness_policy=reference.EVERY_WEEKDAY,
            )
        ],
        check_specs=[
            AssetCheckSpec(name, asset=KEY, description=(check.__doc__ or "").strip())
            for name, check in checks.CHECKS.items()
        ],
    )
    def published(
        context: AssetExecutionContext, metals: MetalsRun
    ) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        settings = metals.settings
        try:
            findings, flips = publish(settings)
        except AuditFailed as failure:
            with warehouse.writer(settings) as connection:
                for finding in checks.audit(connection, settings):
                    yield _result(finding)
            raise Failure(description=str(failure)) from failure
        with warehouse.reader(settings) as connection:
            rows = checks.row_counts(connection)
        table = "\n".join(f"| {name} | {count} |" for name, count in rows.items())
        yield MaterializeResult(
            asset_key=KEY,
            metadata={
                "path": MetadataValue.path(str(settings.published_path)),
                "as_of": str(settings.as_of_date()),
                "bytes": settings.published_path.stat().st_size,
                "tables": MetadataValue.md(f"| table | rows |\n|---|---|\n{table}"),
                "verdicts_flipped": MetadataValue.text("; ".join(flips) or "none"),
            },
        )
        for finding in findings:
            if finding.name in checks.CHECKS:
                yield _result(finding)

    return published


def _result(finding: checks.Finding) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=KEY,
        check_name=finding.name,
        passed=finding.passed,
        severity=AssetCheckSeverity.ERROR if finding.blocking else AssetCheckSeverity.WARN,
        description=finding.said,
        # The run's page shows a check's metadata, not its description.
        metadata={"said": finding.said}
        | ({"examples": MetadataValue.md("\n".join(f"- {e}" for e in finding.examples))} if finding.examples else {}),
    )
