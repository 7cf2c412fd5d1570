"""The Dagster instance of this project's processes: state in DAGSTER_HOME, settings from `dagster_home/dagster.yaml`.

The project's settings hold in every home: in an empty one, where Dagster's defaults would send telemetry, and in one
that other projects share, whose own file stays theirs.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from dagster import DagsterInstance, DagsterRun, JobDefinition
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.instance import InstanceRef
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._serdes import ConfigurableClassData

from pipelines.settings import PROJECT_ROOT

WORKSPACE = WorkspaceFileTarget([str(PROJECT_ROOT / "workspace.yaml")])


NOT_CAPTURED = ConfigurableClassData(
    "dagster._core.storage.noop_compute_log_manager", "NoOpComputeLogManager", config_yaml="{}"
)


def ref(captures: bool = True) -> InstanceRef:
    """For a process that is started with it. `captures`: whether a run's output is written to files for the UI."""
    found = InstanceRef.from_dir(os.environ["DAGSTER_HOME"], config_dir=str(PROJECT_ROOT / "dagster_home"))
    return found if captures else found._replace(compute_logs_data=NOT_CAPTURED)


def opened(captures: bool = True) -> DagsterInstance:
    """The instance; a context manager. Without `captures`, a run leaves the output of its process where it was."""
    return DagsterInstance.from_ref(ref(captures))


@contextlib.contextmanager
def like_the_uis(instance: DagsterInstance, job: JobDefinition) -> Iterator[None]:
    """Runs of `job` that are created in the block are recorded as the UI records its own.

    By their origin the UI lists them under the job and in the overview and can re-execute them; sensors see them by it.
    By the job's snapshot it knows that it has the same job; `execute_in_process` makes a variant with another executor.
    Settings of loggers hold for this process alone: a re-execution is logged in full.
    """
    [location] = WORKSPACE.create_origins()
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job.name)
    create = instance.create_run_for_job

    def created(job_def: JobDefinition, run_config: Mapping[str, Any], **given: Any) -> DagsterRun:
        kept = {part: config for part, config in run_config.items() if part != "loggers"}
        run = create(job_def=job, run_config=kept, remote_job_origin=origin, **given)
        return run._replace(run_config=run_config)

    instance.create_run_for_job = created  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        instance.create_run_for_job = create  # type: ignore[method-assign]
