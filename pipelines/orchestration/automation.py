"""Jobs and automation: the daily job, a job per group, the weekday schedule and the failure alert."""

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

from pipelines.catalog import Catalog
from pipelines.errors import UpstreamUnavailable
from pipelines.landing import messages
from pipelines.orchestration.assets import as_of, live
from pipelines.orchestration.assets.metadata import TIME_ZONE
from pipelines.orchestration.failures import reason_of
from pipelines.settings import Settings

DAILY = "daily"
AS_OF_DAYS = "as_of_days"
LIVE_CHECK = "live_check"
LIVE_CRON = "0 12 * * 0"  # before the week's first run, when no figure is due
# After the New York close, the Board's H.15 (16:15) and the last EDGAR acceptances of the day (until 17:30).
DAILY_CRON = "30 18 * * 1-5"
ALERT_LIMIT_S = 10.0

daily_job: UnresolvedAssetJobDefinition = define_asset_job(
    DAILY,
    selection=AssetSelection.all() - AssetSelection.assets(as_of.KEY, live.KEY),
    description="Fetch what is due, load what is new, build and test the models, audit and publish.",
    tags={"metals/kind": "daily"},
)

# The groups of the models in graph order, each with the description of its job.
MODEL_GROUPS = {
    "parameters": "Load the tables that are entered by hand, each row with its reference.",
    "staging": "Build the views and tables over the raw rows.",
    "intermediate": "Build the tables that several drivers and claims share.",
    "reference": "Build prices, calendars and the tables that explain the others.",
    "drivers": "Build the drivers and their scores.",
    "divergences": "Build the gaps between indicators that usually move together.",
    "thesis": "Build the evidence and the verdicts of the claims.",
}


def group_jobs(catalog: Catalog) -> list[UnresolvedAssetJobDefinition]:
    """A job per group of the asset graph, named after it; as in the daily job, only what is due is fetched."""
    publishers = {
        group: f"Fetch and load: {', '.join(s.title for s in catalog.sources.values() if s.group == group)}."
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
    AS_OF_DAYS,
    selection=AssetSelection.assets(as_of.KEY),
    description="Build what was known by the end of the chosen days, each into its own file in warehouse/as_of/.",
    tags={"metals/kind": "as_of"},
)

live_job: UnresolvedAssetJobDefinition = define_asset_job(
    LIVE_CHECK,
    selection=AssetSelection.assets(live.KEY),
    description="Ask each publisher one small request and compare the answer with what is expected; lands nothing.",
    tags={"metals/kind": "live"},
)

live_schedule = ScheduleDefinition(
    name="weekly_live_check",
    job=live_job,
    cron_schedule=LIVE_CRON,
    execution_timezone=TIME_ZONE,
    # On: a check that has to be switched on is off when it is needed, and it costs one request per publisher and week.
    default_status=DefaultScheduleStatus.RUNNING,
    description=f"The live check, Sundays at 12:00 {TIME_ZONE}.",
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
    """A sensor that sends failed runs to the webhook of the settings, or by mail where there is none; else None."""
    channels = messages.channels(settings)
    if not channels:
        return None
    # One channel: a tick that fails is repeated, and would tell the other one twice.
    channel, *_ = channels
    name = {messages.WEBHOOK: "ALERT_WEBHOOK_URL", messages.MAIL: "METALS_SMTP_TO"}[channel]

    @run_failure_sensor(
        name="alert_on_failure",
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Sends a failed run to {name}.",
    )
    def alert_on_failure(context: RunFailureSensorContext) -> None:
        run = context.dagster_run
        reasons = [f"step {e.step_key}: {reason_of(e)}" for e in context.get_step_failure_events()]
        said = reasons or [str(context.failure_event.message)]
        lines = [f"metals-drivers: {run.job_name} failed", *said, f"Run {run.run_id}"]
        try:
            messages.send(settings, channel, messages.Message(lines), ALERT_LIMIT_S)
        except UpstreamUnavailable as error:
            raise UpstreamUnavailable(f"the alert could not be posted to {name}: {error}") from None

    return alert_on_failure
