"""A Spark session with executors in processes of their own, for tests and benchmarks on one machine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def local_cluster(home: Path) -> Iterator[Any]:
    """Two executors of one core and 1024 MB each. Logs and a metastore land in the working directory, hence `home`."""
    from pyspark.sql import SparkSession

    from pipelines import spark

    home.mkdir(exist_ok=True)
    os.environ["PYSPARK_PYTHON"] = sys.executable  # else executors take the first python3 they find
    builder = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .appName("metals-drivers")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(home / "warehouse"))
        .config("spark.local.dir", str(home / "local"))
        .config("spark.executorEnv.PYTHONPATH", str(REPOSITORY))
        .config("spark.sql.shuffle.partitions", "2")
    )
    for name, value in spark.SETTINGS.items():
        builder = builder.config(name, value)
    before = Path.cwd()
    os.chdir(home)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()
        os.chdir(before)
