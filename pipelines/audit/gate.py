"""The publish step of write-audit-publish: audit the build, record what changed, swap it in or block publication."""

import contextlib

from pipelines import text, transform, warehouse
from pipelines.audit import checks, diff
from pipelines.errors import AuditFailed, MetalsError
from pipelines.settings import Settings

log = text.logger("metals.publish")


def publish(settings: Settings) -> tuple[list[checks.Finding], list[str]]:
    """Audit the build, store its diff to the last publication in it, and swap it in.

    Returns the findings, and what changed as sentences. Raises AuditFailed when a blocking check fails and no override
    is set: the last published file then stays, and `metals status` reports why until a build is published.
    """
    with warehouse.exclusive(settings):
        try:
            findings, changes = _publish(settings)
        except Exception as error:
            said = error.what if isinstance(error, MetalsError) else f"{type(error).__name__}: {error}"
            with contextlib.suppress(OSError):  # on a full disk, the error itself has to do
                warehouse.hold_back(settings, said)
            raise
        settings.held_back_path.unlink(missing_ok=True)
        settings.rewound_path.unlink(missing_ok=True)
        warehouse.prune(settings)
    log.info(
        "published %s: %d of %d checks passed",
        settings.published_path.name,
        sum(f.passed for f in findings),
        len(findings),
    )
    return findings, changes


def _publish(settings: Settings) -> tuple[list[checks.Finding], list[str]]:
    log.info("auditing the build")
    keys = transform.keys(settings)
    with warehouse.writer(settings) as connection:
        findings = checks.audit(connection, settings)
        failed = "; ".join(f"{f.name}: {f.said}" for f in findings if f.blocking and not f.passed)
        override = settings.publish_despite_failed_checks
        if failed and not override:
            raise AuditFailed(
                failed,
                kept=f"the published file {settings.published_path.name} as it was",
                todo="fix the cause, or set METALS_PUBLISH_DESPITE_FAILED_CHECKS to the reason for publishing",
            )
        if failed:
            log.warning("published despite %s; the reason given: %s", failed, override)
            findings.append(checks.Finding("published_despite_failed_checks", False, False, f"overridden: {override}"))
        changes = diff.write(connection, settings, findings, keys, override)
    warehouse.publish(settings)
    return findings, changes
