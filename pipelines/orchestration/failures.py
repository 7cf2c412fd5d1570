"""Why the steps of a run failed, as text."""

from dagster import DagsterEvent, DagsterEventType, DagsterInstance


def of_run(instance: DagsterInstance, run_id: str) -> dict[str, str]:
    """By failed step of a run: its reason, and below it what the step adds (such as the models that failed)."""
    found = {}
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        failure = entry.get_dagster_event()
        told = failure.step_failure_data.user_failure_data
        added = {name: str(value.value).strip() for name, value in (told.metadata if told else {}).items()}
        lines = [f"{failure.step_key}: {reason_of(failure)}", *(f"  {name}: {said}" for name, said in added.items())]
        found[str(failure.step_key)] = "\n".join(lines)
    return found


def reason_of(event: DagsterEvent) -> str:
    """The message of the exception that a failed step raised."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else str(event.message)
