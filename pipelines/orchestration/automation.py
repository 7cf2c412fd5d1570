"""When things run: the daily job, the weekday schedule, the failure alert, and what is kept of past runs."""

import requests
from dagster import (
    AssetSelection,
    DagsterEvent,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunFailureSensorContext,
    ScheduleDefinition,
    SensorDefinition,
    define_asset_job,
    run_failure_sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.catalog import Catalog
from pipelines.errors import UpstreamUnavailable
from pipelines.landing import redact
from pipelines.orchestration.assets import as_of
from pipelines.orchestration.assets.metadata import TIME_ZONE
from pipelines.settings import Settings

DAILY = "daily"
# After the New York close, the Board's H.15 (16:15) and the day's last EDGAR acceptances (17:30 counts as today).
DAILY_CRON = "30 18 * * 1-5"

daily_job: UnresolvedAssetJobDefinition = define_asset_job(
    DAILY,
    selection=AssetSelection.all() - AssetSelection.assets(as_of.KEY),
    description="Ask every publisher that is due, load what is new, build and test the models, audit and publish.",
    tags={"metals/kind": "daily"},
)

# The groups of the models, in the order of the graph, and what a job of theirs does.
MODEL_GROUPS = {
    "parameters": "Load the tables that are entered by hand, each row with its reference.",
    "staging": "Build the views and tables over the raw rows.",
    "intermediate": "Build what several drivers and claims share.",
    "reference": "Build prices, calendars and the tables that explain the others.",
    "drivers": "Build the drivers and their scores.",
    "divergences": "Build the gaps between things that should go together.",
    "thesis": "Build the evidence and the verdicts of the claims.",
}


def group_jobs(catalog: Catalog) -> list[UnresolvedAssetJobDefinition]:
    """A job per group of the asset graph, named after it; publishers are asked when they are due, as always."""
    publishers = {
        group: f"Ask and load: {', '.join(s.title for s in catalog.sources.values() if s.group == group)}."
        for group in dict.fromkeys(s.group for s in catalog.sources.values())
    }
    return [
        define_asset_job(
            f"{group}_only",
            selection=AssetSelection.groups(group),
            description=f"{description} Nothing is published; `{DAILY}` does that.",
            tags={"metals/kind": "group"},
        )
        for group, description in (publishers | MODEL_GROUPS).items()
    ]


snapshot_job: UnresolvedAssetJobDefinition = define_asset_job(
    "as_of_days",
    selection=AssetSelection.assets(as_of.KEY),
    description="Build what was known on the chosen days, each into a file of its own under warehouse/as_of/.",
    tags={"metals/kind": "as_of"},
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
        run = context.dagster_run
        reasons = [f"step {e.step_key}: {reason_of(e)}" for e in context.get_step_failure_events()]
        said = "; ".join(reasons) or str(context.failure_event.message)
        text = f"metals-drivers: {run.job_name} failed, run {run.run_id}: {said}"
        # The address is the key to the channel, and what requests raises repeats it.
        try:
            status = requests.post(url, json={"text": redact(text)}, timeout=10).status_code
        except requests.RequestException as error:
            raise UpstreamUnavailable(f"the alert could not be posted ({type(error).__name__})") from None
        if status >= 400:
            raise UpstreamUnavailable(f"the alert could not be posted: ALERT_WEBHOOK_URL answered {status}")

    return alert_on_failure


def reason_of(event: DagsterEvent) -> str:
    """What a failed step raised, in its own words."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else str(event.message)
