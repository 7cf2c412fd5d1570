"""The stages of a build with 1, 10 and 100 times the rows: processor time and peak memory of each.

The bundled figures, and synthetic copies of them under names that no catalogue knows: every stage that reads raw tables
reads them. Each scale has a process of its own. `python -m benchmarks.scale TIMES` measures one (Linux).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.daily_job import SYNTHETIC_COPIES
from benchmarks.report import Row
from benchmarks.startup import REPOSITORY
from pipelines import catalog, ingest, transform, warehouse
from pipelines.audit import gate
from pipelines.settings import Settings
from pipelines.transform import history

SCALES = (1, 10, 100)


def measure() -> list[Row]:
    """Processor time of each stage at each scale; the notes have wall time and peak memory."""
    rows = []
    for times in SCALES:
        command = [sys.executable, "-m", "benchmarks.scale", str(times)]
        said = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
        rows += [
            Row(f"{s['stage']}, {times}x", "s", s["processor_s"], None, None, s["note"])
            for s in map(json.loads, said.splitlines())
        ]
    return rows


def _stage(name: str, work: Callable[[], object], raw_rows: int) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # begins the peak of memory anew
    used, started = sum(os.times()[:4]), time.monotonic()
    work()
    seconds, wall = sum(os.times()[:4]) - used, time.monotonic() - started
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    megabytes = int(peak[1]) // 1024 if peak else 0
    note = f"{raw_rows:,} raw rows; wall time {wall:.1f} s; peak memory {megabytes:,} MB"
    print(json.dumps({"stage": name, "processor_s": seconds, "note": note}), flush=True)


def stages(times: int) -> None:
    """Print a line of JSON for each stage of a build with `times` as many raw rows."""
    from pipelines import brief  # as the job does: nothing else here needs Plotly

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(warehouse_dir=Path(folder), offline=True, now=datetime.now(UTC))
        with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
            ingest.load_bundle(connection, settings.bundled_dir, settings.clock())
            warehouse.write_catalog(connection, catalog.load(settings.catalog_dir))
            connection.execute(SYNTHETIC_COPIES.format(times=times))
            counted = warehouse.one(
                connection, "select count(*) + (select count(*) from raw.filing_fact) from raw.observation"
            )
        rows = int(counted[0]) if counted else 0
        _stage("every model and test", lambda: transform.build(settings), rows)
        _stage("nothing new", lambda: transform.build(settings), rows)
        _stage("one past month", lambda: history.fill(settings, 1), rows)
        _stage("checks and publication", lambda: gate.publish(settings), rows)
        _stage("brief", lambda: brief.write(settings), rows)


if __name__ == "__main__":
    stages(int(sys.argv[1]))
