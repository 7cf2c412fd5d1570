"""The Dagster instance of this project's processes: state in DAGSTER_HOME, settings from `dagster_home/dagster.yaml`.

The project's settings hold in every home: in an empty one, where Dagster's defaults would send telemetry, and in one
that other projects share, whose own file stays theirs.
"""

import contextlib
import functools
import os
from collections.abc import Iterator

from dagster import DagsterInstance
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
def like_the_uis(instance: DagsterInstance, job: str) -> Iterator[None]:
    """Runs of `job` that are created in the block bear the origin that the UI gives to its own.

    By it the UI lists a run under its job and in the overview and can re-execute it, and sensors see it. Dagster's
    `execute_in_process` has no parameter for it.
    """
    [location] = WORKSPACE.create_origins()
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job)
    create = instance.create_run_for_job
    instance.create_run_for_job = functools.partial(create, remote_job_origin=origin)  # type: ignore[method-assign]
    try:
        yield
    finally:
        instance.create_run_for_job = create  # type: ignore[method-assign]
