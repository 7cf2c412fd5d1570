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

from pipelines import checks, diff, transform, warehouse
from pipelines.assets import reference
from pipelines.errors import AuditFailed
from pipelines.resources import MetalsRun
from pipelines.settings import Settings

log = logging.getLogger("metals.publish")

KEY = AssetKey(["warehouse", "published"])


def publish(settings: Settings) -> tuple[list[checks.Finding], list[str]]:
    """Audit the build, keep the difference to the last publication with it, swap it in.

    Raises AuditFailed when a blocking check fails and no override is set; the last published file stands then, and
    `metals status` says why until a build is published. Returns the findings and what changed, in sentences.
    """
    keys = transform.keys(settings)
    with warehouse.exclusive(settings):
        log.info("auditing the build")
        with warehouse.writer(settings) as connection:
            findings = checks.audit(connection, settings)
            failed = "; ".join(f"{f.name}: {f.said}" for f in findings if f.blocking and not f.passed)
            override = settings.publish_despite_failed_checks
            if failed and not override:
                settings.held_back_path.write_text(
                    f"{settings.clock():%Y-%m-%d %H:%M} UTC: {failed}\n", encoding="utf-8"
                )
                raise AuditFailed(
                    failed,
                    kept=f"the published file {settings.published_path.name} as it was",
                    todo="mend the cause, or set METALS_PUBLISH_DESPITE_FAILED_CHECKS to the reason for publishing",
                )
            if failed:
                log.warning("published despite %s; the reason given: %s", failed, override)
                findings.append(
                    checks.Finding("published_despite_failed_checks", False, False, f"overridden: {override}")
                )
            changes = diff.write(connection, settings, findings, keys, override)
        warehouse.publish(settings)
        settings.held_back_path.unlink(missing_ok=True)
        warehouse.prune(settings)
    log.info(
        "published %s: %d of %d checks passed",
        settings.published_path.name,
        sum(f.passed for f in findings),
        len(findings),
    )
    return findings, changes


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
            findings, changes = publish(settings)
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
