"""Retention of Dagster's run records: killed runs are reported as failed, old ones are deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

# A run logs about 5 MB; its effect on the data stays in the warehouse (raw.retrieval, audit.publication).
RUNS_KEPT = timedelta(days=90)
# Longer than any run takes: a run still marked as started after this time was killed.
DEAD_AFTER = timedelta(hours=12)
FORGOTTEN_AT_ONCE = 20


def tidy(instance: DagsterInstance, now: datetime) -> None:
    """Report killed runs as failed (which also sends the alert); delete some of the records older than RUNS_KEPT."""
    started = RunsFilter(statuses=[DagsterRunStatus.STARTED], created_before=now - DEAD_AFTER)
    for run in instance.get_runs(started):
        instance.report_run_failed(run, "its process ended without reporting (killed, or the machine went down)")
    for run in instance.get_runs(RunsFilter(created_before=now - RUNS_KEPT), limit=FORGOTTEN_AT_ONCE):
        instance.delete_run(run.run_id)
