"""When things run: the daily job, the weekday schedule, the failure alert, and what is kept of past runs."""

from datetime import datetime, timedelta

import requests
from dagster import (
    AssetSelection,
    DagsterInstance,
    DagsterRunStatus,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunFailureSensorContext,
    RunsFilter,
    ScheduleDefinition,
    SensorDefinition,
    define_asset_job,
    run_failure_sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.settings import Settings

DAILY = "daily"
# After the New York close, the Board's H.15 (16:15) and the day's last EDGAR acceptances (17:30 counts as today).
DAILY_CRON = "30 18 * * 1-5"
TIME_ZONE = "America/New_York"
# A run logs some five megabytes; what it did to the data stays in the warehouse (raw.retrieval, audit.publication).
RUNS_KEPT = timedelta(days=90)
# No run takes so long: one that has neither ended nor failed by then was killed.
DEAD_AFTER = timedelta(hours=12)
FORGOTTEN_AT_ONCE = 20

daily_job: UnresolvedAssetJobDefinition = define_asset_job(
    DAILY,
    selection=AssetSelection.all(),
    description="Ask every publisher that is due, load what is new, build and test the models, audit and publish.",
    tags={"metals/kind": "daily"},
)

daily_schedule = ScheduleDefinition(
    name="weekdays_after_the_us_close",
    job=daily_job,
    cron_schedule=DAILY_CRON,
    execution_timezone=TIME_ZONE,
    default_status=DefaultScheduleStatus.RUNNING,
    description=f"The daily job at 18:30 {TIME_ZONE}, Monday to Friday.",
)


def alert(settings: Settings) -> SensorDefinition | None:
    """A sensor that posts failed runs to the webhook of the settings; None where none is set.

    The one request that does not go through landing: nothing is read from it and nothing of it is kept.
    """
    url = settings.alert_webhook_url
    if url is None:
        return None

    @run_failure_sensor(
        name="alert_on_failure",
        default_status=DefaultSensorStatus.RUNNING,
        description="Posts a failed run to ALERT_WEBHOOK_URL.",
    )
    def alert_on_failure(context: RunFailureSensorContext) -> None:
        text = f"metals-drivers: run {context.dagster_run.run_id} failed: {context.failure_event.message}"
        requests.post(url, json={"text": text}, timeout=10).raise_for_status()

    return alert_on_failure


def tidy(instance: DagsterInstance, now: datetime) -> None:
    """Report runs that were killed as failed (the alert tells of them too), and forget those older than RUNS_KEPT."""
    started = RunsFilter(statuses=[DagsterRunStatus.STARTED], created_before=now - DEAD_AFTER)
    for run in instance.get_runs(started):
        instance.report_run_failed(run, "its process ended without a word (killed, or the machine went down)")
    for run in instance.get_runs(RunsFilter(created_before=now - RUNS_KEPT), limit=FORGOTTEN_AT_ONCE):
        instance.delete_run(run.run_id)
