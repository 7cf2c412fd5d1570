"""What Dagster remembers of runs: those that were killed are reported as failed, old ones are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

# A run logs some five megabytes; what it did to the data stays in the warehouse (raw.retrieval, audit.publication).
RUNS_KEPT = timedelta(days=90)
# No run takes so long: one that has neither ended nor failed by then was killed.
DEAD_AFTER = timedelta(hours=12)
FORGOTTEN_AT_ONCE = 20


def tidy(instance: DagsterInstance, now: datetime) -> None:
    """Report runs that were killed as failed (the alert tells of them too), and forget those older than RUNS_KEPT."""
    started = RunsFilter(statuses=[DagsterRunStatus.STARTED], created_before=now - DEAD_AFTER)
    for run in instance.get_runs(started):
        instance.report_run_failed(run, "its process ended without a word (killed, or the machine went down)")
    for run in instance.get_runs(RunsFilter(created_before=now - RUNS_KEPT), limit=FORGOTTEN_AT_ONCE):
        instance.delete_run(run.run_id)
