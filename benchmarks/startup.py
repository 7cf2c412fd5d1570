"""Time for Dagster to load the code location and to show its page, against importing Dagster alone."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import RUNS, Row

REPOSITORY = Path(__file__).resolve().parents[1]
IMPORTS = (sys.executable, "-c", "import dagster")
VALIDATE = (sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml")
UI_WAIT_S, STOP_WAIT_S = 120, 30


@contextlib.contextmanager
def home() -> Iterator[dict[str, str]]:
    """An environment with its own Dagster home and warehouse."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(REPOSITORY / "dagster_home" / "dagster.yaml", Path(folder) / "dagster.yaml")
        yield {
            **os.environ,
            "DAGSTER_HOME": folder,
            "METALS_WAREHOUSE_DIR": str(Path(folder) / "warehouse"),
            "PYTHONPATH": str(REPOSITORY),
        }


def processor_seconds() -> float:
    """CPU time of all child processes that have ended, which does not depend on the machine's load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Cost(NamedTuple):
    """The cost of a command, in seconds."""

    processor: float
    clock: float


def run(command: tuple[str, ...], environment: dict[str, str]) -> Cost:
    """Run a command in the repository. Raises CalledProcessError."""
    before, started = processor_seconds(), time.monotonic()
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    return Cost(processor_seconds() - before, time.monotonic() - started)


def first_answer(environment: dict[str, str]) -> float:
    """Wall time in seconds from `metals ui` to the first response with the assets. Raises RuntimeError."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = (sys.executable, "-m", "pipelines.cli", "ui", "--port", str(port))
    started = time.monotonic()
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:  # fmt: skip
        try:
            question = urllib.request.Request(
                f"http://127.0.0.1:{port}/graphql",
                data=b'{"query": "{ assetNodes { id } }"}',
                headers={"Content-Type": "application/json"},
            )
            while True:
                with (
                    contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
                    urllib.request.urlopen(question, timeout=UI_WAIT_S) as answer,  # noqa: S310 - a loopback address
                ):
                    if b'"id"' in answer.read():
                        return time.monotonic() - started
                if server.poll() is not None or time.monotonic() - started > UI_WAIT_S:
                    raise RuntimeError("metals ui did not answer")
                time.sleep(0.1)
        finally:
            server.send_signal(signal.SIGINT)  # it ends what it started; told one by one, they would wait for it
            try:
                server.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def measure() -> list[Row]:
    """Wall time in seconds; the dbt project has been parsed before, as after the first run of an installation."""
    with home() as environment:
        rounds = [
            (run(IMPORTS, environment).clock, run(VALIDATE, environment).clock, first_answer(environment))
            for _ in range(1 + RUNS)
        ]
    imports, validate, ui = (statistics.median(side[1:]) for side in zip(*rounds, strict=True))
    against = "importing dagster"
    return [
        Row("dagster definitions validate", "s", validate, None, imports, against),
        Row("the UI's first answer about the assets", "s", ui, None, imports, against),
    ]
