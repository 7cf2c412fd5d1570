"""Upkeep of Dagster's records: killed runs reported as failed, old runs deleted, ticks of a wrong clock forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
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
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            instance.delete_run(run.run_id)


def rewind(instance: DagsterInstance, now: datetime) -> int:
    """Forget the ticks of our schedules and sensors later than `now`; returns how many.

    A schedule does not run before its last tick, nor before the time at which it was started.
    """
    storage = instance.schedule_storage
    if not isinstance(storage, SqlScheduleStorage):
        return 0
    forgotten = 0
    for state in instance.all_instigator_state():
        if state.repository_selector.location_name != LOCATION:
            continue
        later = JobTickTable.c.timestamp > now
        with storage.connect() as connection:
            ours = JobTickTable.c.selector_id == state.selector_id
            forgotten += connection.execute(JobTickTable.delete().where(later).where(ours)).rowcount
        if (getattr(state.instigator_data, "start_timestamp", None) or 0) > now.timestamp():
            instance.delete_instigator_state(state.instigator_origin_id, state.selector_id)  # begins again by default
    return forgotten
