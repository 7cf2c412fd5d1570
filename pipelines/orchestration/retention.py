"""Retention of Dagster's run records: killed runs are reported as failed, old ones are deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

# A run logs about 5 MB; its effect on the data stays in the warehouse (raw.retrieval, audit.publication).
RUNS_KEPT = timedelta(days=90)
# Longer than any run takes: a run still marked as started after this time was killed.
DEAD_AFTER = timedelta(hours=12)
FORGOTTEN_AT_ONCE = 20
# A home may be shared: the runs of this code location, which Dagster tags so, and those that the command started.
STARTED_BY_COMMAND = {"metals/started_by": "cli"}
LOCATION = "metals-drivers"
OURS = ({REPOSITORY_LABEL_TAG: f"__repository__@{LOCATION}"}, STARTED_BY_COMMAND)


def tidy(instance: DagsterInstance, now: datetime) -> None:
    """Report killed runs as failed (which also sends the alert); delete some of the records older than RUNS_KEPT.

    Runs of other projects in the same home are left alone.
    """
    for tags in OURS:
        started = RunsFilter(statuses=[DagsterRunStatus.STARTED], created_before=now - DEAD_AFTER, tags=tags)
        for run in instance.get_runs(started):
            instance.report_run_failed(run, "its process ended without reporting (killed, or the machine went down)")
        old = RunsFilter(created_before=now - RUNS_KEPT, tags=tags)
        for run in instance.get_runs(old, limit=FORGOTTEN_AT_ONCE):
            instance.delete_run(run.run_id)
