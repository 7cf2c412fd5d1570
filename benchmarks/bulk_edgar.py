"""The SEC's bulk file: megabytes per second, peak memory, and a backfill that is killed half way and resumed.

The zip is made here (synthetic filers in the recorded shape) and removed again; the backfill is `metals backfill sec`
in a separate process, as a user starts it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import duckdb

from benchmarks import synthetic_filers
from benchmarks.report import Row

MEGABYTES = 3000  # of JSON
MEMORY_LIMIT_MB = 1500


def measure() -> list[Row]:
    """One complete run, and one killed by SIGKILL at half of its parts and resumed: both give the same rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zipped = folder / "companyfacts_synthetic.zip"
        size = synthetic_filers.write_zip(zipped, MEGABYTES) / 1e6

        started = time.perf_counter()
        members = _inflate(zipped)
        bare = size / (time.perf_counter() - started)

        started = time.perf_counter()
        whole = _start(folder / "whole", zipped)
        peak, processor = _wait(whole)
        rate = size / (time.perf_counter() - started)

        parts = len(list((folder / "whole").rglob("filers/*.parquet")))
        killed = _start(folder / "resumed", zipped)
        while len(list((folder / "resumed").rglob("filers/*.parquet"))) < parts // 2:
            assert killed.poll() is None, "it ended before it could be killed"
            time.sleep(0.05)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        stored = len(list((folder / "resumed").rglob("filers/*.parquet")))
        peak = max(peak, _wait(_start(folder / "resumed", zipped))[0])
        rows = _rows(folder / "whole")
        assert rows == _rows(folder / "resumed"), "the resumed backfill has other rows"
        parquet = sum(f.stat().st_size for f in (folder / "whole" / "bulk").rglob("*.parquet")) / 1e6
    assert peak < MEMORY_LIMIT_MB, f"{peak:.0f} MB of memory"
    note = (
        f"{size:,.0f} MB of synthetic JSON, {members:,} filers, {rows[0]:,} facts to {parquet:,.0f} MB of Parquet in "
        f"{processor:,.0f} s of processor time (a busy machine gives it fewer)"
    )
    resumed = f"killed by SIGKILL with {stored} of {parts} parts, begun again: the same {rows[0]:,} facts, in order"
    return [
        Row("bulk EDGAR", "MB/s", rate, None, bare, f"{note}; limit: inflating the zip", lower_is_better=False),
        Row("bulk EDGAR, peak memory", "MB", peak, None, MEMORY_LIMIT_MB, f"{resumed}; limit: what was allowed"),
    ]


def _inflate(zipped: Path) -> int:
    with zipfile.ZipFile(zipped) as archive:
        for member in archive.infolist():
            archive.read(member)
        return len(archive.infolist())


def _start(warehouse: Path, zipped: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "backfill", "sec", "--companyfacts", str(zipped)],
        env={**os.environ, "METALS_WAREHOUSE_DIR": str(warehouse)},
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Waits for success; returns the peak resident memory in MB and the CPU time in seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the backfill failed"
    peak = usage.ru_maxrss / 1024 if sys.platform != "darwin" else usage.ru_maxrss / 1024**2
    return peak, usage.ru_utime + usage.ru_stime


def _rows(warehouse: Path) -> tuple[object, ...]:
    """Count and digest of all facts in stored order; the same for the rows in the build."""
    parquet = f"read_parquet('{warehouse}/bulk/**/facts/*.parquet', file_row_number = true, filename = true)"
    with duckdb.connect(str(warehouse / "build" / "build.duckdb"), read_only=True) as connection:
        # Without the name of the file: the two lie in different folders.
        facts = connection.execute(
            f"""
            with placed as (
                select *, row_number() over (order by parse_filename(filename), file_row_number) as place from {parquet}
            )
            select
                count(*),
                bit_xor(hash(place, cik, tag, unit, period_start, period_end, value, accession, form, filed))
            from placed
            """
        ).fetchall()
        loaded = connection.execute("select count(*), bit_xor(hash(f)) from raw.bulk_filing_fact as f").fetchall()
    return (*facts[0], *loaded[0])
