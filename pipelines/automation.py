"""When things run: the daily job, a job per group, the weekday schedule and the failure alert."""

import requests
from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunFailureSensorContext,
    ScheduleDefinition,
    SensorDefinition,
    define_asset_job,
    run_failure_sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.errors import UpstreamUnavailable
from pipelines.landing import redact
from pipelines.settings import Settings

DAILY = "daily"
# After the New York close, the Board's H.15 (16:15) and the day's last EDGAR acceptances (17:30 counts as today).
DAILY_CRON = "30 18 * * 1-5"
TIME_ZONE = "America/New_York"

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
    if settings.alert_webhook_url is None:
        return None
    url = settings.alert_webhook_url.get_secret_value()

    @run_failure_sensor(
        name="alert_on_failure",
        default_status=DefaultSensorStatus.RUNNING,
        description="Posts a failed run to ALERT_WEBHOOK_URL.",
    )
    def alert_on_failure(context: RunFailureSensorContext) -> None:
        text = f"metals-drivers: run {context.dagster_run.run_id} failed: {context.failure_event.message}"
        # The address is the key to the channel, and what requests raises repeats it.
        try:
            status = requests.post(url, json={"text": redact(text)}, timeout=10).status_code
        except requests.RequestException as error:
            raise UpstreamUnavailable(f"the alert could not be posted ({type(error).__name__})") from None
        if status >= 400:
            raise UpstreamUnavailable(f"the alert could not be posted: ALERT_WEBHOOK_URL answered {status}")

    return alert_on_failure
