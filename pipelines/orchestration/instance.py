"""The Dagster instance of this project's processes: state in DAGSTER_HOME, settings from `dagster_home/dagster.yaml`.

The project's settings hold in every home: in an empty one, where Dagster's defaults would send telemetry, and in one
that other projects share, whose own file stays theirs.
"""

import os

from dagster import DagsterInstance
from dagster._core.instance import InstanceRef

from pipelines.settings import PROJECT_ROOT


def ref() -> InstanceRef:
    """For a process that is started with it."""
    return InstanceRef.from_dir(os.environ["DAGSTER_HOME"], config_dir=str(PROJECT_ROOT / "dagster_home"))


def opened() -> DagsterInstance:
    """The instance; a context manager."""
    return DagsterInstance.from_ref(ref())
