"""Two machines with one landing folder: `python -m tests.endurance.machines --days 60`.

Two processes, each with a build of its own and `landing` a link to the same folder, land at the same time, day after
day, from publishers that revise their figures daily: one publisher both of them, two one of them each. Afterwards no
line may be lost or damaged, every payload must be whole, and each build must have loaded every line exactly once, to
the same figures. Prints the counts; exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from tests import shipped_upstream
from tests.endurance.publishers import Revising

SHARED, MACHINES = "fred", {"one": ("fred", "eastmoney"), "two": ("fred", "imf_pcps")}
REPOSITORY = Path(__file__).resolve().parents[2]


def machine(home: Path, upstream: str, publishers: list[str]) -> None:
    """One machine: per line of standard input, by how many days its clock is ahead, lands and loads once."""
    from pipelines import catalog as catalogs
    from pipelines import ingest, landing, sources, warehouse
    from pipelines.settings import Settings

    whole = catalogs.load(Settings().catalog_dir)
    names = {name for pair in MACHINES.values() for name in pair}
    asked = [whole.sources[name] for name in publishers]
    print("ready", flush=True)
    for line in sys.stdin:
        ahead = timedelta(days=int(line))
        Settings.clock = lambda self, ahead=ahead: datetime.now(UTC).replace(tzinfo=None) + ahead  # type: ignore[method-assign,misc]
        settings = Settings(warehouse_dir=home, upstream_base_url=upstream, pacing=False)
        store = landing.Landing(settings.landing_dir)
        put = [r.line() for found in landing.land(asked, sources.module, whole, settings).values() for r in found]
        with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
            warehouse.write_catalog(connection, whole)
            for name in sorted(names):
                ingest.load_source(connection, whole.sources[name], sources.module(name), whole, store)
        print(json.dumps([line for line in put if '"not_due"' not in line]), flush=True)


def soak(folder: Path, upstream: Path | list[Path], days: int) -> tuple[dict[str, int], list[str]]:
    """The counts, and what was wrong, after so many days and one on which both load what is left."""
    from pipelines.landing import Landing

    shared = folder / "shared"
    shared.mkdir()
    wrote: list[str] = []
    with ExitStack() as stack:
        replay = stack.enter_context(Revising(upstream))
        processes = []
        for name, publishers in MACHINES.items():
            (folder / name).mkdir()
            (folder / name / "landing").symlink_to(shared)
            command = [sys.executable, "-m", "tests.endurance.machines", "--machine", str(folder / name)]
            command += [replay.base_url, *publishers]
            started = subprocess.Popen(
                command, cwd=REPOSITORY, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            processes.append(stack.enter_context(started))
        for process in processes:  # otherwise one may be done before the other has started
            assert process.stdout.readline() == "ready\n"  # type: ignore[union-attr]
        # Twice on the last day: by then, nothing is due, and each loads what the other has landed.
        for day in (*range(days), days - 1):
            replay.now = datetime(2026, 8, 21, tzinfo=UTC) + timedelta(days=day)
            for process in processes:
                print(day, file=process.stdin, flush=True)
            for process in processes:
                wrote += json.loads(process.stdout.readline())  # type: ignore[union-attr]
        for process in processes:
            process.stdin.close()  # type: ignore[union-attr]
    landing = Landing(shared)
    wrong: list[str] = []
    loaded: dict[str, list[tuple[object, ...]]] = {}
    figures = {}
    for name in MACHINES:
        with closing(duckdb.connect(str(folder / name / "build" / "build.duckdb"), read_only=True)) as build:
            loaded[name] = build.execute("select source_id, request_key, checked_at from raw.retrieval").fetchall()
            figures[name] = build.execute(
                "select series_id, period, value, known_at from raw.observation order by all"
            ).fetchall()
    lines = []
    for source in sorted({name for pair in MACHINES.values() for name in pair}):
        journal = landing.lines(source)
        wrong += [f"{source}: line {bad.number}: {bad.reason}" for bad in journal.bad]
        lines += journal.records
        named = {record.payload_id for record in journal.records if record.payload_id}
        wrong += [f"{payload_id} is damaged" for payload_id in sorted(named) if not landing.holds(payload_id)]
    kept = [line.line() for line in lines]
    wrong += [f"lost: {line}" for line in wrote if line not in kept]
    wrong += [f"from nowhere: {line}" for line in kept if line not in wrote]
    for name, rows in loaded.items():
        expected = sorted((line.source, line.key, line.checked_at) for line in lines)
        if sorted(rows) != expected:
            wrong.append(f"{name} loaded {len(rows)} lines of {len(expected)}")
    if figures["one"] != figures["two"]:
        only = set(figures["one"]) ^ set(figures["two"])
        wrong.append(f"{len(only)} rows are in one build only, such as {sorted(map(str, only))[:3]}")
    asked = [(line.key, line.checked_at.date()) for line in lines if line.source == SHARED]
    counts = {
        "lines": len(kept),
        "payloads": len(list(shared.glob("objects/*/*.gz"))),
        "requests that both sent on a day": len(asked) - len(set(asked)),
    }
    wrong += [f"left over: {part}" for part in shared.rglob("*.part")]
    return counts, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--machine", nargs="+", help="used by the command itself: folder, upstream, publishers")
    options = parser.parse_args()
    if options.machine:
        machine(Path(options.machine[0]), options.machine[1], options.machine[2:])
        return
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as shipped:
        upstream = shipped_upstream.recorded_or_written(Path(shipped))
        counts, wrong = soak(Path(folder), upstream, options.days)
    print(f"{options.days} days: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    print("\n".join(wrong) or "nothing lost, interleaved, half-written or loaded twice")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
