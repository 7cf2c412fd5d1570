"""Cases in worker processes with limits on time and memory; a case that crashes its process is a fault."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.fuzz.corpus import Seed, gather

HANG_S = 60.0  # of wall clock, on a machine that does other things too; processor time is held to 5 s
ADDRESS_SPACE = 16 << 30  # a runaway allocation fails in its process and not in the machine


def _work(folder: str, connection: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - panics of libraries are reported as cases
    from tests.fuzz.judge import judge

    connection.send("ready")
    while True:
        seed, number = connection.recv()
        connection.send(judge(Path(folder), seed, number))


class Worker:
    """A process that judges cases one by one, and is replaced when one of them takes it down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._here, there = self._context.Pipe()
        self._process = self._context.Process(target=_work, args=(str(self._folder), there), daemon=True)
        self._process.start()
        there.close()
        self._here.recv()

    def judge(self, seed: Seed, number: int) -> dict[str, Any]:
        self._here.send((seed, number))
        try:
            if self._here.poll(HANG_S):
                return self._here.recv()  # type: ignore[no-any-return]
            fault = f"hung for {HANG_S:.0f} s"
        except (EOFError, ConnectionError):
            self._process.join(5)
            fault = f"took the process down (exit code {self._process.exitcode})"
        self.close()
        self._start()
        return {
            "source": seed.source, "seed": number, "key": seed.key, "mutation": "?", "end": "fault", "said": fault,
            "rows": 0, "changed": 0, "cpu_s": 0.0, "peak_mb": 0.0, "fault": fault,
        }  # fmt: skip

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._here.close()


def cases(seeds: list[Seed], count: int, first: int = 0) -> Iterator[tuple[Seed, int]]:
    """`count` cases, shared out evenly over the publishers and within each over its payloads."""
    of_source: dict[str, list[Seed]] = defaultdict(list)
    for seed in seeds:
        of_source[seed.source].append(seed)
    for n in range(first, first + count):
        source = sorted(of_source)[n % len(of_source)]
        turn = n // len(of_source)
        yield of_source[source][turn % len(of_source[source])], turn


def run(
    upstream: Path | list[Path], count: int, workers: int, only: str | None = None, first: int = 0
) -> list[dict[str, Any]]:
    """Judge `count` cases in `workers` processes; one dict per case, as `judge.Case`."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # inherited by the workers: processor time is then that of one case
    todo: Queue[tuple[Seed, int]] = Queue()
    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(gather(upstream, Path(folder), only), count, first):
            todo.put(case)

        def drain(_: int) -> None:
            worker = Worker(Path(folder))
            try:
                while True:
                    done.append(worker.judge(*todo.get_nowait()))
            except Empty:
                pass
            finally:
                worker.close()

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(drain, range(workers)))
    return done


def table(done: list[dict[str, Any]]) -> str:
    """Counts per publisher, as text."""
    lines = [
        f"{'publisher':26}{'cases':>7}{'typed':>7}{'refused':>9}{'rows':>7}{'faults':>8}{'slowest s':>11}{'MB':>6}"
    ]
    for source in [*sorted({c["source"] for c in done}), "all"]:
        own = [c for c in done if source in ("all", c["source"])]
        ends = Counter("fault" if c["fault"] else c["end"] for c in own)
        lines.append(
            f"{source:26}{len(own):7}{ends['error']:7}{ends['refused']:9}{ends['rows']:7}{ends['fault']:8}"
            f"{max(c['cpu_s'] for c in own):11.2f}{max(c['peak_mb'] for c in own):6.0f}"
        )
    return "\n".join(lines)
