"""Readers that query the published file continuously, each in a separate process.

Each reader opens, reads and closes the file repeatedly, or keeps one connection. A read fails on an error, or if the
tables are not those that were audited together.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
PAUSE_S = 0.1
ASK_WHOLE_S = 1.0  # how often every table is counted; between that, one is read


def read_until_told(path: Path, stop: Path, keeps: bool) -> dict[str, Any]:
    """Read `path` until `stop` exists. Returns how often, the publications seen, and what went wrong."""
    times, wrong, seen, counted_at = 0, [], set(), 0.0
    held = duckdb.connect(str(path), read_only=True) if keeps else None
    parent = os.getppid()
    while not stop.exists() and os.getppid() == parent:
        try:
            connection = held or duckdb.connect(str(path), read_only=True)
            [[published_at, verdicts]] = connection.execute(
                "select (select max(published_at) from audit.publication), (select count(*) from main.claim_verdicts)"
            ).fetchall()
            seen.add(str(published_at))
            if verdicts == 0:
                wrong.append(f"no verdicts in the file of {published_at}")
            if time.monotonic() - counted_at > ASK_WHOLE_S:
                counted_at = time.monotonic()
                for table, rows in connection.execute(
                    "select table_name, rows_after from audit.build_diff where rows_after is not null"
                ).fetchall():
                    [[found]] = connection.execute(f'select count(*) from main."{table}"').fetchall()
                    if found != rows:
                        wrong.append(f"{table} has {found} rows, {rows} were audited")
            if held is None:
                connection.close()
        except duckdb.Error as error:
            wrong.append(f"{type(error).__name__}: {error}")
        times += 1
        time.sleep(PAUSE_S)
    return {"times": times, "wrong": wrong, "seen": sorted(seen)}


@dataclass
class Readers:
    """So many readers at work while the block is entered; afterwards, what they saw."""

    path: Path
    opening: int = 2
    keeping: int = 1
    times: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def __enter__(self) -> Readers:
        self._folder = tempfile.TemporaryDirectory()
        self._stop = Path(self._folder.name) / "stop"
        command = [sys.executable, "-m", "tests.endurance.readers", "--read", str(self.path), "--stop", str(self._stop)]
        self._processes = [
            subprocess.Popen([*command, *more], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
            for more in [[]] * self.opening + [["--keep"]] * self.keeping
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.touch()
        for process in self._processes:
            output, _ = process.communicate(timeout=60)
            if process.returncode != 0:
                self.wrong.append(f"a reader ended with {process.returncode}")
                continue
            told = json.loads(output)
            self.times += told["times"]
            self.wrong += told["wrong"]
            self.seen |= set(told["seen"])
        self._folder.cleanup()

    def told(self) -> str:
        share = 100 * (self.times - len(self.wrong)) / max(self.times, 1)
        return f"{self.times} reads of {len(self.seen)} publications, {share:.4g} % answered whole"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--read", type=Path, required=True, help="the published file")
    parser.add_argument("--stop", type=Path, required=True, help="a file whose appearance ends the reading")
    parser.add_argument("--keep", action="store_true", help="ask one connection again and again")
    options = parser.parse_args()
    print(json.dumps(read_until_told(options.read, options.stop, options.keep)))


if __name__ == "__main__":
    main()
