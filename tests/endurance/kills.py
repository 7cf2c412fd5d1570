"""Runs killed with SIGKILL at random points: `python -m tests.endurance.kills --count 200`.

Each killed process is `metals run`, or one stage of it, with the calls that its assets make. It is forked from a
process that has imported everything, to save time. The time of a kill within a stage is random; the process records
what it is doing, so that the state at its death is known. Between rounds of kills, a complete `metals run` must
succeed. Prints counts by stage, and exits with 1 if anything was lost, duplicated, or partially published.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.endurance import verdicts
from tests.endurance.publishers import ASKED, Revising
from tests.endurance.readers import Readers
from tests.recordings import folders

REPOSITORY = Path(__file__).resolve().parents[2]
FIRST_DAY = datetime(2026, 8, 21, 22, 30)  # noqa: DTZ001 - UTC, as the warehouse stores it
TIMEOUT_S = 900.0
# What is started: the whole command, or one stage of it.
WHOLE, LANDING, MODELS, HISTORY, PUBLISH = "run", "landing", "models", "history", "publish"
# (what is started, in which mark the kill falls, share of all kills). None: at any time of the run.
PLAN: tuple[tuple[str, str | None, int], ...] = (
    (WHOLE, None, 4),
    (LANDING, "landing", 15),
    (LANDING, "load", 30),
    (MODELS, "models", 8),
    (HISTORY, "history", 7),
    (PUBLISH, "audit", 4),
    (PUBLISH, "diff", 6),
    (PUBLISH, "copy", 7),
    (PUBLISH, "prune", 9),
    (PUBLISH, "fsync", 5),
    (PUBLISH, "rename", 5),
)
MARK_BYTES = 64
BETWEEN = "between the steps"


# In the killed process ------------------------------------------------------------------------------------------------


class _Marks:
    """Writes what the process is doing into a file, which outlives a kill, and how long each part took."""

    def __init__(self, folder: Path) -> None:
        self._mark = os.open(folder / "mark", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self._took = (folder / "took").open("w", buffering=1)
        self._stack = [BETWEEN]
        self._write()

    def _write(self) -> None:
        os.pwrite(self._mark, self._stack[-1].encode().ljust(MARK_BYTES), 0)

    def around(self, owner: Any, name: str, mark: str, within: str | None = None) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def marked(*arguments: Any, **named: Any) -> Any:
            if threading.current_thread() is not threading.main_thread() or (within and within not in self._stack):
                return original(*arguments, **named)
            self._stack.append(mark)
            self._write()
            started = time.monotonic()
            try:
                return original(*arguments, **named)
            finally:
                self._took.write(f"{mark} {time.monotonic() - started}\n")
                self._stack.pop()
                self._write()

        setattr(owner, name, marked)


def _install_marks(folder: Path) -> None:
    from pipelines import ingest, landing, transform, warehouse
    from pipelines.audit import checks, diff
    from pipelines.transform import history
    from pipelines.warehouse import publication

    marks = _Marks(folder)
    marks.around(landing, "land", "landing")
    marks.around(ingest, "load_source", "load")
    marks.around(transform, "build", "models")
    marks.around(history, "fill", "history")
    marks.around(checks, "audit", "audit")
    marks.around(diff, "write", "diff")
    marks.around(warehouse, "publish", "publish")
    marks.around(shutil, "copyfile", "copy", within="publish")
    marks.around(publication, "_prune", "prune", within="publish")
    marks.around(os, "fsync", "fsync", within="publish")
    marks.around(Path, "replace", "rename", within="publish")


def _stage(stage: str) -> int:
    """One stage, by the calls that its assets make."""
    from pipelines import catalog as catalogs
    from pipelines import ingest, landing, sources, transform, warehouse
    from pipelines.audit import gate
    from pipelines.settings import Settings
    from pipelines.transform import history

    settings = Settings()
    with warehouse.exclusive(settings):
        warehouse.verify_build(settings)
        if stage == LANDING:
            catalog = catalogs.load(settings.catalog_dir)
            landing.land([catalog.sources[s] for s in ASKED], sources.module, catalog, settings)
            for source in ASKED:
                with warehouse.writer(settings) as connection:
                    warehouse.write_catalog(connection, catalog)
                    ingest.load_source(
                        connection,
                        catalog.sources[source],
                        sources.module(source),
                        catalog,
                        landing.Landing(settings.landing_dir),
                    )
        elif stage == MODELS:
            return int(any(result.failed for result in transform.build(settings)))
        elif stage == HISTORY:
            history.fill(settings)
        else:
            gate.publish(settings)
    return 0


def _live(order: dict[str, Any]) -> int:
    """The life of one forked process."""
    os.setsid()
    folder = Path(order["folder"])
    with (folder / "log").open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.update(order["environment"])
    _install_marks(folder)
    if order["start"] != WHOLE:
        return _stage(order["start"])
    from pipelines.cli import app

    try:
        app(["run", *(word for source in ASKED for word in ("--only", source))])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def nursery() -> None:
    """Forks a process per line of standard input; prints its pid, and its status once it has ended."""
    import dbt.cli.main  # noqa: F401

    from pipelines import cli, definitions  # noqa: F401
    from pipelines.contracts import schemas  # noqa: F401

    for line in sys.stdin:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                status = _live(json.loads(line))
            except BaseException:  # noqa: BLE001 - nothing may return into the nursery's own loop
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        print(json.dumps({"pid": pid}), flush=True)
        _, wait_status = os.waitpid(pid, 0)
        print(json.dumps({"ended": os.waitstatus_to_exitcode(wait_status)}), flush=True)


# In the soak ----------------------------------------------------------------------------------------------------------


@dataclass
class Soak:
    """One home under fire."""

    folder: Path
    upstream: Path | list[Path]
    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    escaped: int = 0
    runs: int = 0
    publications: int = 0
    wrong: list[str] = field(default_factory=list)
    readers: Readers | None = None
    last_environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = time.monotonic()
        self.random = random.Random(self.seed)  # noqa: S311 - no secret
        for name in ("dagster", "no_bundle"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "dagster_home" / "dagster.yaml", self.folder / "dagster")
        self.warehouse = self.folder / "warehouse"
        self.published = self.warehouse / "metals.duckdb"
        self.build = self.warehouse / "build" / "build.duckdb"
        self.watch = verdicts.LandingWatch(self.warehouse / "landing")
        self.clock = FIRST_DAY
        self.months = 1
        self.seen: str | None = None
        self.alive: int | None = None
        self.longest = {"landing": 1.0, "load": 0.3, "models": 15.0, "history": 3.0, "copy": 0.02, "fsync": 0.02}
        self.whole_s = 40.0
        self.replay = Revising(self.upstream, FIRST_DAY.date()).start()
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.endurance.kills", "--nursery"],
            cwd=REPOSITORY,
            env={**os.environ, **self.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def environment(self) -> dict[str, str]:
        return {
            "METALS_WAREHOUSE_DIR": str(self.warehouse),
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "METALS_BUNDLED_DIR": str(self.folder / "no_bundle"),
            "METALS_UPSTREAM_BASE_URL": self.replay.base_url,
            "METALS_PACING": "false",
            "METALS_CONTACT": "metals-drivers tests tests@example.com",
            "METALS_HISTORY_MONTHS": str(self.months),
            "METALS_NOW": self.clock.isoformat() + "+00:00",
            "COLUMNS": "160",
        }

    def close(self) -> None:
        assert self.nursery.stdin is not None
        if self.alive is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.alive, signal.SIGKILL)
        self.nursery.stdin.close()
        self.nursery.wait(timeout=60)
        self.replay.stop()

    def tomorrow(self) -> None:
        self.clock += timedelta(days=1)
        self.replay.now = self.clock.date()

    def _mark(self) -> str:
        try:
            return (self.folder / "mark").read_bytes().decode().strip()
        except FileNotFoundError:
            return ""

    def _start(self, what: str) -> int:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        (self.folder / "mark").unlink(missing_ok=True)
        (self.folder / "took").unlink(missing_ok=True)
        order = {"start": what, "folder": str(self.folder), "environment": self.environment()}
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        self.alive = int(json.loads(self.nursery.stdout.readline())["pid"])
        return self.alive

    def _ended(self) -> int:
        assert self.nursery.stdout is not None
        status = int(json.loads(self.nursery.stdout.readline())["ended"])
        self.alive = None
        return status

    def _learn(self) -> None:
        """How long the parts take, from the last process."""
        path = self.folder / "took"
        for line in path.read_text().splitlines() if path.exists() else []:
            mark, _, seconds = line.partition(" ")
            self.longest[mark] = 0.5 * self.longest.get(mark, float(seconds)) + 0.5 * float(seconds)

    def run_whole(self) -> None:
        """A run that nobody disturbs: it must complete and leave everything right."""
        started = time.monotonic()
        self._start(WHOLE)
        status = self._ended()
        self.whole_s = time.monotonic() - started
        self.runs += 1
        self._learn()
        if status != 0:
            self.wrong.append(f"the run of {self.clock} ended with {status}: {self._log()}")
        self.check("after a whole run", published=True)
        self.wrong += self.watch.not_loaded(self.build) + verdicts.duplicates(self.build)

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-1500:]

    def kill(self, what: str, within: str | None) -> None:
        """Start `what`, kill its process group at a random moment (of the part `within`), look at what is left."""
        pid = self._start(what)
        deadline = time.monotonic() + (self.whole_s if within is None else TIMEOUT_S)
        if within is None:
            time.sleep(self.random.uniform(0, self.whole_s))
        else:
            skipped = self.random.randrange(4) if within == "load" else 0  # which publisher's load
            last = ""
            while time.monotonic() < deadline and _alive(pid):
                mark = self._mark()
                skipped -= mark != last == within
                last = mark
                if mark == within and skipped <= 0:
                    time.sleep(self.random.uniform(0, self.longest.get(within, 0.2)))
                    break
                time.sleep(0.0005)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        mark = self._mark()
        status = self._ended()
        if status == -signal.SIGKILL:
            self.killed[mark] += 1
        else:
            self.escaped += 1
            self._learn()
            if status != 0:
                self.wrong.append(f"{what} of {self.clock} ended with {status} before its kill: {self._log()}")
        self.check(f"after a kill in {mark}")
        if self.killed.total() % 10 == 0:
            print(f"  {self.killed.total()} killed, {time.monotonic() - self.started:.0f} s", flush=True)

    def check(self, when: str, published: bool = False, selection: str = "") -> None:
        found = self.watch.lost() if (self.warehouse / "landing").exists() else []
        if self.published.exists():
            now = verdicts.digest(self.published)
            if now != self.seen:
                self.publications += 1
                found += [f"the published file {what}" for what in verdicts.incomplete(self.published, selection)]
                self.seen = now
            elif published:
                found.append("nothing was published")
        elif self.seen or published:
            found.append("the published file is gone")
        self.wrong += [f"{when}, {self.clock}: {what}" for what in found]

    def fire(self, count: int, per_round: int) -> Iterator[str]:
        """Kill until `count` processes have died so, with a whole run after each round; yields a line per round."""
        rounds = self._rounds(count, per_round)
        for number, orders in enumerate(rounds, 1):
            for what, within in orders:
                if what in (WHOLE, LANDING):
                    self.tomorrow()
                if what == HISTORY:
                    self.months += 1
                if what in (HISTORY, PUBLISH):
                    continue
                self.kill(what, within)
            self.tomorrow()
            self.run_whole()
            for what, within in orders:
                if what == HISTORY:
                    self.months += 1
                if what in (HISTORY, PUBLISH):
                    self.kill(what, within)
            yield f"round {number}: {self.killed.total()} killed so far, {len(self.wrong)} faults; {self.told()}"
        while self.killed.total() < count:
            self.tomorrow()
            self.kill(LANDING, "load")
        self.tomorrow()
        self.run_whole()

    def _rounds(self, count: int, per_round: int) -> list[list[tuple[str, str | None]]]:
        bag = [(what, within) for what, within, share in PLAN for _ in range(share)]
        chosen = [bag[i % len(bag)] for i in range(count)] if count >= len(bag) else self.random.sample(bag, count)
        self.random.shuffle(chosen)
        order = [WHOLE, LANDING, MODELS, HISTORY, PUBLISH]
        return [
            sorted(chosen[i : i + per_round], key=lambda kill: order.index(kill[0])) for i in range(0, count, per_round)
        ]

    def told(self) -> str:
        return ", ".join(f"{n} {mark or BETWEEN}" for mark, n in sorted(self.killed.items()))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


def rebuilt_from_landing(soak: Soak) -> list[str]:
    """What differs between the home's raw tables and those loaded at once, undisturbed, from the same landing."""
    from pipelines import catalog as catalogs
    from pipelines import ingest, sources, warehouse
    from pipelines.landing import Landing
    from pipelines.settings import Settings

    settings = Settings(warehouse_dir=soak.folder / "rebuilt")
    catalog = catalogs.load(settings.catalog_dir)
    landing = Landing(soak.warehouse / "landing")
    with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalog)
        for source in ASKED:
            ingest.load_source(connection, catalog.sources[source], sources.module(source), catalog, landing)
    here, there = (verdicts.contents(path, ("raw",)) for path in (soak.build, settings.build_path))
    skipped = {f"raw.{table}" for table in verdicts.ABOUT_THE_RUN}
    return [
        f"{table}: {here.get(table)} after the kills, {there.get(table)} loaded at once"
        for table in sorted(here.keys() | there.keys())
        if table not in skipped and here.get(table) != there.get(table)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="processes to kill")
    parser.add_argument("--per-round", type=int, default=20, help="kills between two undisturbed runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="an empty folder; default: a temporary one")
    parser.add_argument("--nursery", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.nursery:
        nursery()
        return
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that nothing it started outlives it
    with tempfile.TemporaryDirectory() as temporary:
        soak = Soak(options.folder or Path(temporary), folders(), options.seed)
        try:
            soak.run_whole()
            print(f"first run {soak.whole_s:.0f} s", flush=True)
            with Readers(soak.published, opening=1) as readers:
                for line in soak.fire(options.count, options.per_round):
                    print(line, flush=True)
        finally:
            soak.close()
        soak.wrong += rebuilt_from_landing(soak)
        soak.wrong += readers.wrong[:10]
        print(f"killed: {soak.killed.total()} ({soak.told()}); {soak.escaped} ended before their kill")
        print(f"undisturbed runs that completed: {soak.runs}; publications seen: {soak.publications}")
        print(f"readers meanwhile: {readers.told()}")
        print(f"seed {soak.seed}, {time.monotonic() - started:.0f} s; faults: {len(soak.wrong)}")
        for line in soak.wrong:
            print(f"  {line}")
        sys.exit(1 if soak.wrong else 0)


if __name__ == "__main__":
    main()
